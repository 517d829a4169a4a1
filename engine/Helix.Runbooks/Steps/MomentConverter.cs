using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Helix.Runbooks.Steps;

/// <summary>A moment as <c>2026-03-01T02:00:00Z</c>, with milliseconds when it has some: people read it in questions and messages.</summary>
/// <remarks>Digits beyond the millisecond are dropped, which makes a recovery point earlier, never later.</remarks>
sealed class MomentConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString(value.Millisecond == 0 ? "yyyy-MM-ddTHH:mm:ssZ" : "yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
}
