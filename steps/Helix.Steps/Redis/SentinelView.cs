using Helix.Runbooks.Steps;
namespace Helix.Steps.Redis;
sealed record SentinelView(int Answering, RedisEndpoint Master, IReadOnlyList<string> Replicas)
{
    public static Task<SentinelView> Read(SentinelTarget t, PlanContext c) => throw new NotImplementedException();
}
