using System.CommandLine;
using Helix.Cli.Driving;
using Helix.Runbooks.Reports;

namespace Helix.Cli.Commands;

static class ReportCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var format = new Option<string>("--format") { Description = "Markdown, one self-contained HTML file, or JSON.", HelpName = "md|html|json", DefaultValueFactory = _ => "md" };
        format.AcceptOnlyFromAmong("md", "html", "json");
        var output = Given.Text("--output", "FILE", "Default: standard output.");
        return new Verb("report", "Writes the report of a run: what happened, who decided, where the time went, what is left.",
                "helix report 260301-0200 --format html --output report.html")
            .Takes(run).With(format, output)
            .Does(parsed =>
            {
                var report = Reporting.Of(session.Engine, session.Store.Resolve(parsed.GetValue(run)!));
                var text = (session.Terminal.Json ? "json" : parsed.GetValue(format)) switch
                {
                    "json" => report.ToJson(),
                    "html" => HtmlReport.Of(report),
                    _ => MarkdownReport.Of(report),
                };
                if (parsed.GetValue(output) is { } path)
                {
                    File.WriteAllText(path, text + "\n");
                    session.Terminal.Say($"The report of run {report.Run} is in {path}.");
                    return 0;
                }
                session.Terminal.Write(text);
                return 0;
            });
    }
}
