using System.CommandLine;
using System.Net;
using Helix.Cli.Driving;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server;

namespace Helix.Cli.Commands;

static class ServeCommand
{
    public static Command Make(Session session)
    {
        var listen = new Option<string>("--listen") { Description = "Address and port. Beyond this machine only with TLS.", HelpName = "ADDRESS:PORT", DefaultValueFactory = _ => "127.0.0.1:8470" };
        var runbooks = new Option<string>("--runbooks") { Description = "The folder with the runbooks; environments/ below it.", HelpName = "DIR", DefaultValueFactory = _ => "runbooks" };
        var certificate = Given.Text("--tls-certificate", "FILE", "The certificate with its chain, as PEM.");
        var key = Given.Text("--tls-key", "FILE", "Its key, as PEM.");
        var url = Given.Text("--public-url", "URL", "How people reach it when a proxy stands before it, as https://helix.example.com.");
        var oidc = Given.Text("--oidc", "FILE", "How people sign on through an identity provider (OpenID Connect).");
        var insecure = Given.Flag("--insecure", "Listens beyond this machine without TLS: everybody on the way can read passwords and act with sessions that they see.");
        var administrator = Given.Flag("--new-administrator", "Prints a link with which one more administrator is made, for when the password of the first is lost.");
        var node = Given.Text("--node", "NAME", "Its name among the servers of one store. Default: that of the machine.");
        var labels = new Option<string[]>("--label") { Description = "What this machine has, for runbooks that need it. May be repeated. Default: $HELIX_LABELS.", HelpName = "NAME=VALUE", DefaultValueFactory = _ => [] };
        return new Verb("serve", "Serves the web pages of a team, and drives the runs that are started there.",
                "helix serve", "helix serve --listen 0.0.0.0:8470 --tls-certificate cert.pem --tls-key key.pem --runbooks /etc/helix/runbooks")
            .With(listen, runbooks, certificate, key, url, oidc, insecure, administrator, node, labels)
            .Does(parsed => Serving.Run(session, new Serving.Asked(
                parsed.GetValue(listen)!, parsed.GetValue(runbooks)!, parsed.GetValue(certificate), parsed.GetValue(key), parsed.GetValue(url), parsed.GetValue(oidc), parsed.GetValue(insecure), parsed.GetValue(administrator), parsed.GetValue(node), parsed.GetValue(labels) ?? [])));
    }
}

/// <summary>Only this names types of the server, so that no other command loads the web.</summary>
static class Serving
{
    public sealed record Asked(string Listen, string Runbooks, string? Certificate, string? Key, string? Url, string? Oidc, bool Insecure, bool NewAdministrator, string? Node, string[] Labels);

    public static async Task<int> Run(Session session, Asked asked)
    {
        using var signals = new StopSignals(session.Terminal, "Stopping: what runs here is interrupted, and its runs are suspended for the next server. That may take some seconds.");
        // Drivers wait for the disk on threads of the pool, which adds new ones slowly; requests shall not wait for that.
        ThreadPool.SetMinThreads(256, 256);
        var settings = new ServerSettings
        {
            Listen = IPEndPoint.TryParse(asked.Listen.Replace("localhost", "127.0.0.1", StringComparison.Ordinal), out var endpoint) ? endpoint
                : throw new RunbookException($"'{asked.Listen}' is no address with a port.", "Write --listen 127.0.0.1:8470."),
            Runbooks = asked.Runbooks,
            StorePath = session.StorePath,
            DataFolder = session.DataFolder,
            SecondStore = session.SecondStore,
            Node = asked.Node,
            Labels = asked.Labels.Length > 0 ? NodeLabels.Parse(asked.Labels) : session.Labels,
            Certificate = asked.Certificate,
            CertificateKey = asked.Key,
            PublicUrl = asked.Url is null ? null : Uri.TryCreate(asked.Url, UriKind.Absolute, out var uri) ? uri : throw new RunbookException($"'{asked.Url}' is no URL."),
            SignOn = asked.Oidc is null ? null : session.Files.SignOn(asked.Oidc),
            Insecure = asked.Insecure,
            NewAdministrator = asked.NewAdministrator,
        };
        await using var server = await HelixServer.Start(settings, session.Catalog, session.Time, session.Terminal.Error.WriteLine);
        var stopped = new TaskCompletionSource();
        await using (signals.Interrupt.Register(() => stopped.TrySetResult()))
            await stopped.Task;
        return 0;
    }
}
