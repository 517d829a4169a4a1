using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    /// <summary>Bytes of output that are kept of one step; beyond it head and tail are kept and the cut is named.</summary>
    public long LogLimit { get; set; } = 8 << 20;

    /// <summary>Keeps lines; <see cref="LogLine.Sequence"/> is given by the store. On disk at the latest with the next append.</summary>
    public void Log(string run, IReadOnlyList<LogLine> lines) => WriteRelaxed(database =>
    {
        var number = NumberOf(database, run);
        foreach (var step in lines.GroupBy(l => l.Path, StringComparer.Ordinal))
            new StepLog(database, number, step.Key, LogLimit).Add(step);
        return true;
    });

    /// <summary>Lines after a sequence number, in order, of the whole run or of one step.</summary>
    public IReadOnlyList<LogLine> Logs(string run, string? path = null, long after = 0, int limit = 10_000)
    {
        const string Columns = "SELECT sequence, at, path, attempt, stream, text FROM logs";
        return Look(database => path is null
            ? database.All(Columns + " WHERE number = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3", ReadLine, NumberOf(database, run), after, limit)
            : database.All(Columns + " WHERE number = ?1 AND sequence > ?2 AND path = ?4 ORDER BY sequence LIMIT ?3", ReadLine, NumberOf(database, run), after, limit, path));
    }

    /// <summary>Keeps bytes under their SHA-256. On disk at the latest with the next append, which is the one that names them.</summary>
    public string Keep(byte[] bytes)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        WriteRelaxed(database => database.Run("INSERT INTO bytes (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING", sha256, bytes));
        return sha256;
    }

    public byte[]? Kept(string sha256) => Look(database => database.One("SELECT bytes FROM bytes WHERE sha256 = ?1", r => r.GetFieldValue<byte[]>(0), sha256));

    static LogLine ReadLine(DbDataReader r) =>
        new(r.GetInt64(0), Chain.Time(r.GetString(1)), r.GetString(2), (int)r.GetInt64(3), r.GetString(4), r.GetString(5));
}

public sealed record LogLine(long Sequence, DateTimeOffset At, string Path, int Attempt, string Stream, string Text);

/// <summary>The stored output of one step: a head that stays, a tail that moves on, and a line that names what was cut between.</summary>
sealed class StepLog
{
    readonly Database _database;
    readonly long _number;
    readonly string _path;
    readonly long _half;
    long _head, _tail, _tailFrom, _cutAt, _cutLines, _cutBytes;

    public StepLog(Database database, long number, string path, long limit)
    {
        (_database, _number, _path, _half) = (database, number, path, limit / 2);
        _database.All("SELECT head, tail, tail_from, cut_at, cut_lines, cut_bytes FROM log_sizes WHERE number = ?1 AND path = ?2", r =>
            (_head, _tail, _tailFrom, _cutAt, _cutLines, _cutBytes) =
                (r.GetInt64(0), r.GetInt64(1), r.IsDBNull(2) ? 0 : r.GetInt64(2), r.IsDBNull(3) ? 0 : r.GetInt64(3), r.GetInt64(4), r.GetInt64(5)), number, path);
    }

    public void Add(IEnumerable<LogLine> lines)
    {
        foreach (var some in lines.Select(l => l with { Text = Shortened(l.Text.Replace('\0', '\uFFFD')) }).Chunk(Together))
            foreach (var part in some.Length == Together ? [some] : some.Chunk(1))
                Insert(part);
        if (_tail > _half)
            Cut();
        _database.Run("""
            INSERT INTO log_sizes (number, path, head, tail, tail_from, cut_at, cut_lines, cut_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (number, path) DO UPDATE SET head = excluded.head, tail = excluded.tail, tail_from = excluded.tail_from,
                cut_at = excluded.cut_at, cut_lines = excluded.cut_lines, cut_bytes = excluded.cut_bytes
            """,
            _number, _path, _head, _tail, _tailFrom > 0 ? _tailFrom : null, _cutAt > 0 ? _cutAt : null, _cutLines, _cutBytes);
    }

    /// <summary>A statement for each would be a question and an answer for each, which a database far away makes long.</summary>
    void Insert(LogLine[] lines)
    {
        var sizes = Array.ConvertAll(lines, l => Encoding.UTF8.GetByteCount(l.Text) + 1);
        object?[] values = [_number, _path, .. lines.SelectMany((l, i) => new object?[] { Chain.Text(l.At), l.Attempt, l.Stream, l.Text, sizes[i] })];
        var sequences = _database.All(lines.Length == 1 ? InsertOne : InsertMany, r => r.GetInt64(0), values);
        for (var i = 0; i < lines.Length; i++)
            Count(sequences[i], sizes[i]);
    }

    const int Together = 32;
    static readonly string InsertOne = InsertOf(1);
    static readonly string InsertMany = InsertOf(Together);

    static string InsertOf(int lines) => "INSERT INTO logs (number, path, at, attempt, stream, text, size) VALUES "
        + string.Join(", ", Enumerable.Range(0, lines).Select(i => $"(?1, ?2, ?{5 * i + 3}, ?{5 * i + 4}, ?{5 * i + 5}, ?{5 * i + 6}, ?{5 * i + 7})")) + " RETURNING sequence";

    void Count(long sequence, int size)
    {
        if (_tailFrom == 0 && _head + size <= _half)
        {
            _head += size;
            return;
        }
        if (_tailFrom == 0)
            _tailFrom = sequence;
        _tail += size;
    }

    /// <summary>Takes a quarter more than needed out of the tail, so that a flood is not cut line by line.</summary>
    void Cut()
    {
        var excess = _tail - (_half - _half / 4);
        var (last, taken, lines) = _database.All("""
            SELECT sequence, total, lines FROM (
                SELECT sequence, CAST(sum(size) OVER (ORDER BY sequence) AS BIGINT) AS total, row_number() OVER (ORDER BY sequence) AS lines
                FROM logs WHERE number = ?1 AND path = ?2 AND sequence >= ?3) AS tail
            WHERE total >= ?4 ORDER BY sequence LIMIT 1
            """, r => (r.GetInt64(0), r.GetInt64(1), r.GetInt64(2)), _number, _path, _tailFrom, excess)[0];
        if (_cutAt == 0)
            _cutAt = _tailFrom;
        _database.Run("DELETE FROM logs WHERE number = ?1 AND path = ?2 AND sequence >= ?3 AND sequence <= ?4 AND sequence <> ?5",
            _number, _path, _tailFrom, last, _cutAt);
        (_tail, _cutBytes, _cutLines, _tailFrom) = (_tail - taken, _cutBytes + taken, _cutLines + lines, last + 1);
        _database.Run("UPDATE logs SET stream = 'cut', size = 0, text = ?2 WHERE sequence = ?1", _cutAt,
            $"… {_cutBytes} bytes ({_cutLines} lines) were cut here: of one step {ByteSize.Words(2 * _half)} are kept, the beginning and the end …");
    }

    /// <summary>A single line may take an eighth of the room; of a longer one both ends are kept.</summary>
    string Shortened(string text)
    {
        var most = (int)Math.Min(_half / 4, 256 << 10);
        if (text.Length * 3L <= most || Encoding.UTF8.GetByteCount(text) <= most)
            return text;
        var keep = most / 6; // characters of at most three bytes, on either side
        var (left, right) = (keep, text.Length - keep);
        if (char.IsHighSurrogate(text[left - 1]))
            left--;
        if (char.IsLowSurrogate(text[right]))
            right++;
        return $"{text[..left]} … {Encoding.UTF8.GetByteCount(text.AsSpan(left, right - left))} bytes of this line were cut … {text[right..]}";
    }
}
