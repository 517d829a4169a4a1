using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Helix.Server.Tests.Seen.Chromium))]

namespace Helix.Server.Tests.Seen;

/// <summary>Debian's Chromium, without its desktop where that is installed (it takes half the time); screenshots are kept in the folder <c>screens</c> beside the tests.</summary>
/// <remarks>One for all tests, started by the first that looks at a page.</remarks>
public sealed class Chromium : IAsyncDisposable
{
    const string Usual = "/usr/bin/chromium";
    static readonly string Executable = new[] { "/usr/lib/chromium/chromium-headless-shell", Usual }.FirstOrDefault(File.Exists) ?? Usual;
    static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    ];

    readonly Lazy<Task<IBrowser>> _browser;
    IPlaywright? _playwright;

    public Chromium() => _browser = new(Launch);

    async Task<IBrowser> Launch()
    {
        Assertions.SetDefaultExpectTimeout(Screen.Limit);
        _playwright = await Playwright.CreateAsync();
        return await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Headless = true, ChromiumSandbox = false, Args = Arguments, Timeout = Screen.Limit });
    }

    internal async Task<Screen> Open(ServerHere here, string name, int width = 1280, int height = 900, bool dark = false)
    {
        if (!File.Exists(Executable))
            Assert.Skip($"There is no {Executable}: install the package chromium.");
        var context = await (await _browser.Value).NewContextAsync(new()
        {
            BaseURL = here.Address.ToString(),
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(Screen.Limit);
        return new Screen(await context.NewPageAsync(), name);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser.IsValueCreated)
            await (await _browser.Value).CloseAsync();
        _playwright?.Dispose();
    }
}

/// <summary>One person's window.</summary>
sealed class Screen(IPage page, string name) : IAsyncDisposable
{
    /// <summary>Milliseconds, of whatever is waited for. As long as elsewhere in the tests: a busy machine is no fault of a page.</summary>
    public static readonly int Limit = (int)Hang.Limit.TotalMilliseconds;

    static readonly string Folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "screens")).FullName;
    int _taken;

    public IPage Page => page;

    /// <summary>A picture of the whole page; nothing may reach beyond its right edge.</summary>
    public async Task Take(string what)
    {
        await page.ScreenshotAsync(new() { Path = Path.Combine(Folder, $"{name}-{++_taken:00}-{what}.png"), FullPage = true });
        var over = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(over <= 0, $"{name}, {what}: the page is {over} pixels too wide.");
    }

    /// <summary>axe finds nothing serious.</summary>
    public async Task IsAccessible(string what)
    {
        var result = await page.RunAxe(new AxeRunOptions { ResultTypes = [ResultType.Violations], RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21aa"] } });
        var found = result.Violations.Where(v => v.Impact is "serious" or "critical").Select(v => $"{v.Id}: {v.Help} ({string.Join("; ", v.Nodes.Take(3).Select(n => n.Html))})");
        Assert.True(!found.Any(), $"{name}, {what}: {string.Join("\n", found)}");
    }

    public async Task LogIn(string account)
    {
        await page.GotoAsync("/login");
        await page.GetByLabel("Account").FillAsync(account);
        await page.GetByLabel("Password").FillAsync(ServerHere.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await Arrives("/runs$");
    }

    /// <summary>It is there; what it shows is waited for by <see cref="Sees"/>. The address is looked at again and again: who waits for an event of a page that is there already waits for ever.</summary>
    public Task Arrives(string pattern) => Assertions.Expect(page).ToHaveURLAsync(new Regex(pattern));

    public Task Press(string button) => page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
    public Task Sees(string text) => Assertions.Expect(page.Locator("main")).ToContainTextAsync(text);

    public async ValueTask DisposeAsync() => await page.Context.CloseAsync();
}
