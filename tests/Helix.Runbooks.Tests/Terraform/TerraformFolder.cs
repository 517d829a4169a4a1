using System.Diagnostics;
using Helix.Steps.Terraform;

namespace Helix.Runbooks.Tests.Terraform;

/// <summary>A configuration in a folder of its own for the real terraform, with the resource that is built into it: no provider, no cloud.</summary>
sealed class TerraformFolder : IDisposable
{
    readonly List<Process> _started = [];

    public TerraformFolder(string configuration)
    {
        var path = System.Environment.GetEnvironmentVariable("PATH")!.Split(':');
        if (!path.Any(f => File.Exists(System.IO.Path.Combine(f, "terraform"))))
            Assert.Skip("NO TERRAFORM on this machine. Nothing about Terraform was tested.");
        Directory.CreateDirectory(Path);
        Write(configuration);
        Target = Host.Add("infra", new TerraformTarget { Directory = Path });
    }

    public TestHost Host { get; } = new();
    public TerraformTarget Target { get; }
    public string Path => System.IO.Path.Combine(Host.Folder, "infra");
    public string PlanFile => System.IO.Path.Combine(Host.Work, "infra.tfplan");

    public void Write(string configuration) => File.WriteAllText(System.IO.Path.Combine(Path, "main.tf"), configuration);

    public Task<TerraformPlanOutputs> Plan(TerraformPlanOptions? options = null) => Host.Run(new TerraformPlan(), options ?? PlanOptions);

    public TerraformPlanOptions PlanOptions => new() { Target = "infra", To = PlanFile, LockWait = new(TimeSpan.Zero) };

    public static TerraformApplyOptions Apply(TerraformPlanOutputs plan) => new() { Target = "infra", Plan = plan.File, Sha256 = plan.Sha256 };

    public async Task<TerraformApplyOutputs> PlanAndApply() => await Host.Run(new TerraformApply(), Apply(await Plan()));

    /// <summary>Somebody else's terraform on the same folder.</summary>
    public Process Other(params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo("terraform", arguments)
        {
            WorkingDirectory = Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["CHECKPOINT_DISABLE"] = "1" },
        })!;
        _started.Add(process);
        return process;
    }

    public string State => File.Exists(System.IO.Path.Combine(Path, "terraform.tfstate")) ? File.ReadAllText(System.IO.Path.Combine(Path, "terraform.tfstate")) : "";

    public void Dispose()
    {
        foreach (var process in _started)
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            process.Dispose();
        }
        Host.Dispose();
    }
}
