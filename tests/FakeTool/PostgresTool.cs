/// <summary>Poses as pg_dump and pg_restore of version 14, with their words and exit codes.</summary>
static class PostgresTool
{
    /// <param name="server">The major version of the server that it finds.</param>
    public static int Dump(string server, string[] rest)
    {
        if (rest is ["--version"])
            return Print("pg_dump (PostgreSQL) 14.11 (Debian 14.11-1)", 0);
        if (int.Parse(server, System.Globalization.CultureInfo.InvariantCulture) <= 14)
            return Print("PGDMP a dump", 0);
        Console.Error.WriteLine($"pg_dump: error: server version: {server}.2; pg_dump version: 14.11");
        Console.Error.WriteLine("pg_dump: error: aborting because of server version mismatch");
        return 1;
    }

    /// <param name="errors">What it meets on its way; it goes on and ends with 1.</param>
    public static int Restore(string[] errors)
    {
        foreach (var error in errors)
            Console.Error.WriteLine($"pg_restore: error: could not execute query: ERROR:  {error}");
        if (errors.Length > 0)
            Console.Error.WriteLine($"pg_restore: warning: errors ignored on restore: {errors.Length}");
        return Print("restored", errors.Length > 0 ? 1 : 0);
    }

    static int Print(string text, int code)
    {
        Console.Out.WriteLine(text);
        return code;
    }
}
