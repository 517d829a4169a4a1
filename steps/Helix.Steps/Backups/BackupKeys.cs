using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>The keys of a store: the one that new backups are encrypted with, and those that old ones may need.</summary>
public sealed record BackupKeys(BackupCipher? Current, IReadOnlyList<BackupCipher> Older)
{
    public static BackupKeys None { get; } = new(null, []);

    /// <summary>The one of new backups first.</summary>
    public IEnumerable<BackupCipher> All => Current is null ? Older : Older.Prepend(Current);

    public bool Has(BackupEncryption encryption) => Find(encryption) is not null;

    /// <exception cref="StepFailedException">Auth, when the key is not among them.</exception>
    public BackupCipher For(string backup, BackupEncryption encryption)
    {
        if (encryption.Format != BackupCipher.Format)
            throw StepFailedException.InvalidData($"{backup} is encrypted as '{encryption.Format}', which this version does not know.");
        return Find(encryption)
            ?? throw StepFailedException.Auth($"{backup} is encrypted with the key {encryption.KeyId}, which its target does not have.", "Name it in the target: encryptionKey, or decryptionKeys for old ones.");
    }

    BackupCipher? Find(BackupEncryption encryption) => All.FirstOrDefault(c => c.About.KeyId == encryption.KeyId);
}
