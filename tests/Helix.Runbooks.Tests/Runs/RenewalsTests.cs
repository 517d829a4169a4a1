using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Runs;

public sealed class RenewalsTests : IDisposable
{
    readonly FakeTimeProvider _clock = new();
    readonly TestHost _host = new();

    [Fact]
    public async Task VLT_04_Credentials_are_renewed_again_and_again_also_after_a_server_was_away()
    {
        var target = new Credentials(
            () => TimeSpan.FromMinutes(1), () => throw StepFailedException.Transient("away"), () => TimeSpan.FromMinutes(1), () => null);
        using var renewals = new Renewals([target], _ => _host.PlanContext(), _clock);
        await Eventually.True(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            return target.Asked == 4;
        }, "all four are asked");
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(4, target.Asked);
    }

    [Fact]
    public async Task What_cannot_be_renewed_ends_nothing_but_the_renewing()
    {
        var refused = new Credentials(() => throw StepFailedException.Auth("refused"));
        var good = new Credentials(() => TimeSpan.FromMinutes(1), () => null);
        using var renewals = new Renewals([refused, good], _ => _host.PlanContext(), _clock);
        await Eventually.True(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            return good.Asked == 2;
        }, "the good one is asked again");
        Assert.Equal(1, refused.Asked);
    }

    public void Dispose() => _host.Dispose();

    sealed class Credentials(params Func<TimeSpan?>[] answers) : IRenewsCredentials
    {
        int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public Task<TimeSpan?> Renew(PlanContext context) => Task.FromResult(answers[Interlocked.Increment(ref _asked) - 1]());
    }
}
