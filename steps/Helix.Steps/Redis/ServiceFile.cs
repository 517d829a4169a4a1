using System.Text;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Redis;

/// <summary>Small files of a service, as text.</summary>
static class ServiceFile
{
    /// <returns>Null when there is no such file.</returns>
    public static async Task<string?> Text(Runtime service, string path, StepContext context)
    {
        try
        {
            using var text = new MemoryStream();
            await service.CopyOut(context, path, text);
            return Encoding.UTF8.GetString(text.ToArray());
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            return null;
        }
    }

    public static async Task Write(Runtime service, string path, string text, FileOwner owner, StepContext context)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        await service.CopyIn(context, stream, path, owner);
    }
}
