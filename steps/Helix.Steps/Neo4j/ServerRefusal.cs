using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Http;

namespace Helix.Steps.Neo4j;

/// <summary>The server has undone the transaction by itself: it may be sent again.</summary>
sealed class UndoneException(string code) : Exception(code);

/// <summary>What a server's no means.</summary>
static class ServerRefusal
{
    /// <summary>Null when it is none.</summary>
    public static StepFailedException? Of(int status, JsonNode? body, Neo4jConnection server, string user, string database)
    {
        if ((body as JsonObject)?["errors"] is JsonArray and [JsonObject first, ..])
            return Of((string?)first["code"] ?? "", HttpCall.Short((string?)first["message"] ?? ""), server.Name, user, database);
        return status switch
        {
            >= 200 and < 300 => null,
            401 => WrongPassword(server.Name, user),
            404 => NoDatabase(server.Name, database),
            _ => new(HttpCall.ClassOf(status), $"{server.Name} answers {status}."),
        };
    }

    static StepFailedException Of(string code, string message, string name, string user, string database) => code switch
    {
        "Neo.ClientError.Security.Unauthorized" => WrongPassword(name, user),
        "Neo.ClientError.Security.AuthenticationRateLimit" =>
            StepFailedException.Transient($"{name} refuses {user} for a while: there were too many wrong passwords.", "Put the password right before it is tried again."),
        "Neo.ClientError.Security.CredentialsExpired" => MustChange(name, user),
        "Neo.ClientError.Security.Forbidden" when message.Contains("change their password", StringComparison.OrdinalIgnoreCase) => MustChange(name, user),
        _ when code.StartsWith("Neo.ClientError.Security.", StringComparison.Ordinal) => StepFailedException.Auth($"{name} does not let {user} do this: {message}"),
        "Neo.ClientError.Database.DatabaseNotFound" => NoDatabase(name, database),
        _ when code.StartsWith("Neo.TransientError.", StringComparison.Ordinal) => new(FailureClass.Transient, $"{name} was disturbed: {message}", null, new UndoneException(code)),
        "Neo.ClientError.Procedure.ProcedureNotFound" => StepFailedException.Missing($"{name} has no such procedure: {message}"),
        "Neo.ClientError.Schema.ConstraintValidationFailed" => StepFailedException.Conflict($"{name}: {message}"),
        "Neo.ClientError.Cluster.NotALeader" or "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase" =>
            StepFailedException.Conflict($"{name} takes no writes: {message}", "Ask the member that leads; neo4j.cluster says which it is."),
        _ when code.StartsWith("Neo.DatabaseError.", StringComparison.Ordinal) =>
            StepFailedException.InvalidData($"{name} has an error of its own: {message} ({code})", "Its log says more; its store may be damaged."),
        _ => StepFailedException.InvalidData($"{name} refuses the query: {message} ({code})"),
    };

    static StepFailedException WrongPassword(string name, string user) => StepFailedException.Auth($"{name} refuses the password of user '{user}'.", "Is it that of this server? A restore of the system database brings older passwords back.");

    static StepFailedException MustChange(string name, string user) => StepFailedException.Auth($"{name} wants user '{user}' to change the first password before anything else.", "Change it once with `ALTER CURRENT USER SET PASSWORD`.");

    static StepFailedException NoDatabase(string name, string database) => StepFailedException.Missing($"{name} has no database '{database}'.", "`SHOW DATABASES` says which there are; name it with `database`.");
}
