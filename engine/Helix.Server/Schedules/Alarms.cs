using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Helix.Server.Schedules;

/// <summary>Quartz as the alarm clock: it rings for each schedule at the moment that was set. What is due then, and whether it may start, is decided elsewhere.</summary>
sealed class Alarms : IAsyncDisposable
{
    const string Name = "schedule";
    readonly ServiceProvider _services;
    readonly IScheduler _scheduler;
    readonly Func<string, Task> _ring;

    Alarms(ServiceProvider services, IScheduler scheduler, Func<string, Task> ring) => (_services, _scheduler, _ring) = (services, scheduler, ring);

    public static async Task<Alarms> Start(TimeProvider time, Func<string, Task> ring)
    {
        var bell = new Bell();
        var services = new ServiceCollection().AddLogging().AddSingleton(bell);
        services.AddQuartz(q => q.UseTimeProvider(time));
        var provider = services.BuildServiceProvider();
        var scheduler = await provider.GetRequiredService<ISchedulerFactory>().GetScheduler();
        var alarms = new Alarms(provider, scheduler, ring);
        bell.Ring = alarms._ring;
        await scheduler.Start();
        return alarms;
    }

    /// <summary>One moment for each schedule; setting another takes the first back.</summary>
    public async Task Set(string schedule, DateTimeOffset at)
    {
        await Unset(schedule);
        var job = JobBuilder.Create<Rings>().WithIdentity(schedule).UsingJobData(Name, schedule).Build();
        // Late is better than never: what a late ring means is decided by the schedule.
        var trigger = TriggerBuilder.Create().WithIdentity(schedule).StartAt(at).WithSimpleSchedule(s => s.WithRepeatCount(0)).Build();
        await _scheduler.ScheduleJob(job, trigger);
    }

    public async Task Unset(string schedule) => await _scheduler.DeleteJob(new JobKey(schedule));

    public async ValueTask DisposeAsync()
    {
        await _scheduler.Shutdown(false);
        await _services.DisposeAsync();
    }

    sealed class Bell
    {
        public Func<string, Task> Ring { get; set; } = _ => Task.CompletedTask;
    }

    sealed class Rings(Bell bell) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
            await bell.Ring(context.MergedJobDataMap.GetString(Name)!);
    }
}
