using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

public sealed class DirectoryStoreTests : BackupStoreConformance, IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("helix-").FullName;

    protected override Task<BackupStore> Empty() => Task.FromResult<BackupStore>(new DirectoryStore(_folder));

    [Fact]
    public async Task An_upload_that_was_killed_leaves_only_a_hidden_file_which_the_next_one_removes()
    {
        await using var store = await Empty();
        Directory.CreateDirectory(Path.Combine(_folder, "a"));
        var left = Path.Combine(_folder, "a", ".b.bin.4194305-1.unfinished"); // no process has a number that high
        File.WriteAllText(left, "half");
        Assert.Empty(await Keys(store, "a/"));
        await Put(store, "a/b.bin", Bytes(10));
        Assert.False(File.Exists(left));
        Assert.Equal(["a/b.bin"], await Keys(store, "a/"));
    }

    [Fact]
    public async Task A_key_cannot_leave_the_folder()
    {
        await using var store = await Empty();
        await Assert.ThrowsAsync<RunbookException>(() => store.Stat("../outside", CancellationToken.None));
        await Assert.ThrowsAsync<RunbookException>(() => store.Delete("a/../../outside", CancellationToken.None));
    }

    [Fact]
    public async Task A_folder_that_vanished_is_missing_and_is_not_made_anew()
    {
        await using var store = await Empty();
        var upload = await store.Create("a/b.bin", new(), CancellationToken.None);
        await upload.WriteAsync(Bytes(100));
        TempFolder.Delete(_folder);
        var gone = await Assert.ThrowsAsync<StepFailedException>(() => upload.Commit(CancellationToken.None));
        Assert.Equal(FailureClass.Missing, gone.Failure);
        await upload.DisposeAsync();
        foreach (var use in new Func<Task>[] { () => Put(store, "a/c", Bytes(1)), () => Keys(store, "a/"), () => store.Stat("a/c", default), () => store.ReadSmall("a/c", default) })
            Assert.Equal(FailureClass.Missing, (await Assert.ThrowsAsync<StepFailedException>(use)).Failure);
        Assert.False(Directory.Exists(_folder));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_listed_fails_with_what_the_disk_said()
    {
        await using var store = await Empty();
        await Put(store, "a/b.bin", Bytes(1));
        await Put(store, "a/below/c.bin", Bytes(1));
        var below = Path.Combine(_folder, "a", "below");
        await using var listing = store.List("a/", CancellationToken.None).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await listing.MoveNextAsync());
        // Root may list every folder, so a link to itself takes the place of one.
        TempFolder.Delete(below);
        File.CreateSymbolicLink(below, below);

        var failure = await Assert.ThrowsAsync<StepFailedException>(async () => await listing.MoveNextAsync());

        Assert.Equal(FailureClass.Transient, failure.Failure);
        Assert.Contains(_folder, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_deleted_while_the_folder_is_listed_is_left_out_and_a_folder_that_vanished_is_a_failure()
    {
        await using var store = await Empty();
        foreach (var i in Enumerable.Range(0, 5))
            await Put(store, $"a/{i}", Bytes(1));
        await using var listing = store.List("a/", CancellationToken.None).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await listing.MoveNextAsync());
        var others = Enumerable.Range(0, 5).Select(i => $"a/{i}").Where(k => k != listing.Current.Key).ToList();
        foreach (var gone in others.SkipLast(1))
            File.Delete(Path.Combine(_folder, gone));
        Assert.True(await listing.MoveNextAsync());
        Assert.Equal(others[^1], listing.Current.Key);
        Assert.False(await listing.MoveNextAsync());

        foreach (var i in Enumerable.Range(0, 5))
            await Put(store, $"a/{i}", Bytes(1));
        await using var again = store.List("a/", CancellationToken.None).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await again.MoveNextAsync());
        TempFolder.Delete(_folder);
        Assert.Equal(FailureClass.Missing, (await Assert.ThrowsAsync<StepFailedException>(async () => await again.MoveNextAsync())).Failure);
    }

    [Fact]
    public async Task A_disk_that_lets_nothing_be_removed_does_not_hide_why_an_upload_failed()
    {
        await using var store = await Empty();
        var upload = await store.Create("a/b.bin", new(), CancellationToken.None);
        // Root may remove files from any folder, so a folder takes the place of the file.
        var temporary = Directory.EnumerateFiles(Path.Combine(_folder, "a"), ".*").Single();
        File.Delete(temporary);
        Directory.CreateDirectory(temporary);
        await upload.DisposeAsync();
        Assert.True(Directory.Exists(temporary));
    }

    [Fact]
    public async Task Objects_and_manifests_are_readable_to_their_owner_alone_whatever_the_umask()
    {
        await using var store = await Empty();
        await Put(store, "a/b.bin", Bytes(1));
        await store.Replace(BackupKey.Manifest("a/b.bin"), Bytes(1), null, CancellationToken.None);
        foreach (var key in new[] { "a/b.bin", BackupKey.Manifest("a/b.bin") })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, key)));
    }

    [Fact]
    public async Task A_target_whose_folder_is_not_there_is_refused_with_a_hint()
    {
        using var trial = new TestHost().With(new DirectoryTarget { Name = "shelf", Path = _folder + "/none" });
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => trial.Context().Target<BackupTarget>("shelf").Open(trial.Context()));
        Assert.Equal(FailureClass.Missing, failure.Failure);
        Assert.Contains("shelf", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            TempFolder.Delete(_folder);
    }
}
