using System.Globalization;
using Helix.Benchmarks.ServerLoad;

// ServerLoad HELIX FOLDER WAITING TOGETHER VIEWERS MINUTES: the measures of a real `helix serve`, as lines of a Markdown table.
var (helix, folder) = (args[0], args[1]);
var numbers = args[2..].Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToList();
var (waiting, together, viewers, minutes) = (numbers[0], numbers[1], numbers[2], numbers[3]);

var books = new Books(folder);
if (waiting > 0)
{
    var took = await Fill.Waiting(books, waiting);
    Table.Row($"{waiting} runs made that wait for people", $"{took.TotalSeconds:0} s");
}
if (together > 0)
{
    await using var served = await Served.Start(helix, books);
    await Rest.Measure(served, waiting);
    await Pages.Measure(served, "at rest");
    await Crowd.Measure(served, together);
    await Watchers.Measure(served, viewers);
}
if (minutes > 0)
{
    await using var served = await Served.Start(helix, books);
    await Endurance.Measure(served, TimeSpan.FromMinutes(minutes));
}

/// <summary>Lines of a table.</summary>
static class Table
{
    public static void Row(string what, string measured) => Console.WriteLine($"| {what} | {measured} |");
}
