using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Helix.Steps.Kubernetes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>A request that the cluster got.</summary>
sealed record KubeRequest(string Method, string Path, string Query, string Body);

enum KubeFault { None, TooManyRequests, Hang, Drop, Unavailable }

/// <summary>A stub of a cluster's API server, with state, controllers and pods in which commands run; the real kubectl talks to it.</summary>
sealed class KubeServer : IDisposable
{
    public const string Namespace = "helix";
    const string Token = "stub-token-1d0f6a";

    readonly X509Certificate2 _certificate = Certificate();
    readonly WebApplication _app;

    public KubeServer()
    {
        var path = System.Environment.GetEnvironmentVariable("PATH")!.Split(':');
        if (!path.Any(f => File.Exists(Path.Combine(f, "kubectl"))))
            Assert.Skip("NO KUBECTL on this machine. Nothing about Kubernetes was tested.");
        Folder = Directory.CreateTempSubdirectory("helix-kube-").FullName;
        Cluster = new KubeCluster(Folder);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // Without TLS kubectl sends no token.
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l =>
        {
            l.Protocols = HttpProtocols.Http1;
            l.UseHttps(_certificate);
        }));
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(Answer);
        _app.StartAsync().GetAwaiter().GetResult();
        Url = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        WriteConfig();
    }

    public string Folder { get; }
    public KubeCluster Cluster { get; }
    public string Url { get; }
    public string Config => Path.Combine(Folder, "kubeconfig");
    public ConcurrentQueue<KubeRequest> Requests { get; } = new();

    /// <summary>What goes wrong with a request; asked for each.</summary>
    public Func<KubeRequest, KubeFault> Fault { get; set; } = _ => KubeFault.None;

    /// <summary>The cluster as a target whose context is not the current one of the kubeconfig.</summary>
    public KubernetesTarget Target => new() { Kubeconfig = Config, Context = "dr", Namespace = Namespace, RequestTimeout = new(Hang.Limit) };

    static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=stub", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    /// <summary>The current context leads to production, where nobody listens (K8S-07).</summary>
    void WriteConfig() => File.WriteAllText(Config, $$"""
        apiVersion: v1
        kind: Config
        current-context: prod
        clusters:
        - { name: prod, cluster: { server: "http://127.0.0.1:1" } }
        - { name: dr, cluster: { server: "{{Url}}", certificate-authority-data: {{Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(_certificate.ExportCertificatePem()))}} } }
        contexts:
        - { name: prod, context: { cluster: prod, user: ops, namespace: default } }
        - { name: dr, context: { cluster: dr, user: ops, namespace: default } }
        - { name: stranger, context: { cluster: dr, user: nobody, namespace: default } }
        users:
        - { name: ops, user: { token: {{Token}} } }
        - { name: nobody, user: { token: wrong } }
        """);

    async Task Answer(HttpContext http)
    {
        var request = new KubeRequest(http.Request.Method, http.Request.Path, http.Request.QueryString.ToString(), await Body(http));
        Requests.Enqueue(request);
        switch (Fault(request))
        {
            case KubeFault.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                return;
            case KubeFault.Drop:
                http.Abort();
                return;
            case KubeFault.TooManyRequests:
                http.Response.Headers.RetryAfter = "0";
                await Send(http, KubeAnswer.Failure(429, "TooManyRequests", "the server has received too many requests"));
                return;
            case KubeFault.Unavailable:
                await Send(http, KubeAnswer.Failure(503, "ServiceUnavailable", "the server is currently unable to handle the request"));
                return;
            default:
                break;
        }
        if (http.Request.Headers.Authorization != $"Bearer {Token}")
            await Send(http, KubeAnswer.Failure(401, "Unauthorized", "Unauthorized"));
        else if (http.WebSockets.IsWebSocketRequest)
            await KubeExec.Serve(http, Cluster);
        else
            await Send(http, new KubeApi(Cluster).Answer(request, http.Request));
    }

    static async Task<string> Body(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        return http.WebSockets.IsWebSocketRequest ? "" : await reader.ReadToEndAsync();
    }

    static async Task Send(HttpContext http, KubeAnswer answer)
    {
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = answer.Type;
        await http.Response.WriteAsync(answer.Body);
    }

    public void Dispose()
    {
        _app.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _certificate.Dispose();
        TempFolder.Delete(Folder);
    }
}

sealed record KubeAnswer(int Status, string Body, string Type = "application/json")
{
    public static KubeAnswer Ok(JsonNode body, int status = 200) => new(status, body.ToJsonString());

    public static KubeAnswer Failure(int status, string reason, string message) => Ok(new JsonObject
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject(),
        ["status"] = "Failure",
        ["message"] = message,
        ["reason"] = reason,
        ["code"] = status,
    }, status);
}
