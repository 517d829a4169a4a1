using System.IO.Pipelines;
using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>Where the bytes of a new backup come from.</summary>
abstract class UploadSource : IAsyncDisposable
{
    public abstract Stream Content { get; }

    /// <summary>No more bytes than this will come; null: nobody knows.</summary>
    public abstract long? Length { get; }

    /// <summary>The same bytes come again when it is opened again.</summary>
    public abstract bool Repeats { get; }

    /// <summary>Throws when what was read is not all, or not one state of the data.</summary>
    public abstract void Check(long read);

    public abstract ValueTask DisposeAsync();

    /// <exception cref="RunbookException">Neither file nor command, or both.</exception>
    public static UploadSource Of(BackupUploadOptions options, StepContext context) => (options.File, options.Command.Count) switch
    {
        ({ } file, 0) => new OfFile(SourceFile.Open(context.FullPath(file))),
        (null, > 0) => new OfCommand(options, context),
        _ => throw new RunbookException("backup.upload needs either 'file' or 'command'."),
    };

    sealed class OfFile(SourceFile file) : UploadSource
    {
        public override Stream Content => file.Content;
        public override long? Length => file.Length;
        public override bool Repeats => true;
        public override void Check(long read) => file.CheckUnchanged(read);

        public override ValueTask DisposeAsync()
        {
            file.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>What a command prints. The end of its output counts only once its exit code is known to be right (PRC-06).</summary>
    sealed class OfCommand : UploadSource
    {
        const int Ahead = 8 << 20;

        readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: Ahead, resumeWriterThreshold: Ahead / 2, minimumSegmentSize: 1 << 16, useSynchronizationContext: false));
        readonly CancellationTokenSource _stop;
        readonly Task _running;

        public OfCommand(BackupUploadOptions options, StepContext context)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(context.Cancelled);
            Length = options.LargestSize?.Bytes;
            Content = _pipe.Reader.AsStream();
            var tool = context.Tool(options.Command[0], options.Command.Skip(1)) with { Output = _pipe.Writer.AsStream(leaveOpen: true), Cancelled = _stop.Token };
            _running = Run(tool);
        }

        public override Stream Content { get; }
        public override long? Length { get; }
        public override bool Repeats => false;

        public override void Check(long read)
        {
            // A dump tool that is refused often prints nothing, and says so on no other way (DB-02).
            if (read == 0)
                throw StepFailedException.InvalidData("The command printed nothing, and an empty backup is none.", "Look at what it says on its standard error.");
        }

        public override async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Content.DisposeAsync();
            await Task.WhenAny(_running);
            _stop.Dispose();
        }

        async Task Run(Tool tool)
        {
            try
            {
                await tool.Run();
                await _pipe.Writer.CompleteAsync();
            }
            catch (Exception e)
            {
                await _pipe.Writer.CompleteAsync(e);
            }
        }
    }

    public static async Task<string> Digest(string path, CancellationToken cancelled)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancelled));
    }
}
