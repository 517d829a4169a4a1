using Helix.Runbooks.Tests.Postgres;

namespace Helix.Runbooks.Tests.Journal;

// What holds for a store holds for each kind of store: the same tests, over a file and over a real PostgreSQL.
public sealed class AppendOnSqliteTests() : AppendConformance(null);
public sealed class AppendOnPostgresTests(PostgresServer server) : AppendConformance(server);

public sealed class LeaseOnSqliteTests() : LeaseConformance(null);
public sealed class LeaseOnPostgresTests(PostgresServer server) : LeaseConformance(server);

public sealed class LockOnSqliteTests() : LockConformance(null);
public sealed class LockOnPostgresTests(PostgresServer server) : LockConformance(server);

public sealed class LogOnSqliteTests() : LogConformance(null);
public sealed class LogOnPostgresTests(PostgresServer server) : LogConformance(server);

public sealed class RecordOnSqliteTests() : RecordConformance(null);
public sealed class RecordOnPostgresTests(PostgresServer server) : RecordConformance(server);

public sealed class RegisterOnSqliteTests() : RegisterConformance(null);
public sealed class RegisterOnPostgresTests(PostgresServer server) : RegisterConformance(server);

public sealed class CrashOnSqliteTests() : CrashConformance(null)
{
    [Theory]
    [InlineData("append:1:before", 2, 2)]
    [InlineData("append:1:after", 2, 3)]
    [InlineData("point:effect:s3:1", 9, 9)]
    public Task A_driver_that_dies_at_another_point_leaves_exactly_what_it_had_written(string failpoint, long acknowledged, int written) =>
        A_driver_that_dies_at_a_named_point_leaves_exactly_what_it_had_written(failpoint, acknowledged, written);
}
public sealed class CrashOnPostgresTests(PostgresServer server) : CrashConformance(server);

public sealed class SpeedOnSqliteTests() : SpeedConformance(null);
public sealed class SpeedOnPostgresTests(PostgresServer server) : SpeedConformance(server);

public sealed class ChainOnSqliteTests() : ChainProperties(null);
public sealed class ChainOnPostgresTests(PostgresServer server) : ChainProperties(server);
