using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

public sealed partial class Sequencer
{
    /// <summary>What became of a block, which is no step of the journal: its steps tell, those of its rescue and finally aside. One that was cut short has failed. To be asked of a sequencer that was made for it.</summary>
    internal StepStatus StatusOf(RunState state, BlockItem block, string path)
    {
        // That it was skipped, was over its time or had wrong inputs stands under its own path.
        if (state.Step(path) is { } own)
            return own.Status;
        (_state, _actions) = (state, []);
        var prefix = path[..^block.Id.Length];
        return VisitBody(block, prefix, path, stop: "nothing of it goes on", collect: false) switch
        {
            Verdict.Done => StepStatus.Succeeded,
            Verdict.Open => StepStatus.Running,
            _ => IsEntered(block, prefix, path) ? StepStatus.Failed : StepStatus.Pending,
        };
    }

    bool IsEntered(BlockItem block, string prefix, string path) =>
        block is RunbookItem ? _state.Entered.ContainsKey(path) : HasBegunWithin(block, prefix, path);

    /// <summary>Why a block failed: the last failure of its steps that it did not survive; else it was cut short.</summary>
    internal FailureClass FailureOf(RunState state, string path, Func<string, bool> isBody) =>
        state.Step(path)?.Failure
        ?? state.Steps.Values.Where(s => s is { Status: StepStatus.Failed, Stopped: false } && s.Path.StartsWith(path + "/", StringComparison.Ordinal) && isBody(s.Path) && !Continues(s)).MaxBy(s => s.EndedAt)?.Failure
        ?? FailureClass.Cancelled;
}
