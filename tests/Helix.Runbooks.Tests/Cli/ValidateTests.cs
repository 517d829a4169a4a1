using Xunit;

namespace Helix.Runbooks.Tests.Cli;

public sealed class ValidateTests : IDisposable
{
    readonly HelixHere _helix = new();

    public void Dispose() => _helix.Dispose();

    const string Sound = "apiVersion: helix.runbooks/v1\nname: sound\ntitle: Sound\nsteps:\n  - { id: pause, uses: wait, with: { for: 1s } }\n";
    const string Faulty = "apiVersion: helix.runbooks/v1\nname: faulty\ntitle: Faulty\nsteps:\n  - { id: a-b, uses: wait, with: { for: 1s } }\n  - { id: c, uses: wait, with: { four: 1s } }\n";

    [Fact]
    public async Task A_sound_runbook_ends_with_0()
    {
        Assert.Equal(0, await _helix.Run("validate", _helix.Write("sound.yaml", Sound)));
        Assert.Equal("1 file: no problem.\n", _helix.Error);
    }

    [Fact]
    public async Task All_problems_are_shown_with_place_and_hint_and_the_end_is_2()
    {
        var path = _helix.Write("faulty.yaml", Faulty);
        Assert.Equal(2, await _helix.Run("validate", path));
        Assert.Contains($"{path}:5:11: 'a-b' cannot be an id.\n    Hint: ", _helix.Out, StringComparison.Ordinal);
        Assert.Contains($"{path}:6:", _helix.Out, StringComparison.Ordinal);
        Assert.Contains("Did you mean 'for'?", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Problems_as_json_have_file_line_column_rule_and_hint()
    {
        Assert.Equal(2, await _helix.Run("validate", _helix.Write("faulty.yaml", Faulty), "--json"));
        Assert.False((bool)_helix.Json["valid"]!);
        var problem = _helix.Json["problems"]![0]!;
        Assert.Equal((5, 11, "error"), ((int)problem["line"]!, (int)problem["column"]!, (string)problem["severity"]!));
        Assert.NotNull((string?)problem["rule"]);
        Assert.NotNull((string?)problem["hint"]);
    }

    [Fact]
    public async Task A_folder_is_checked_with_its_environments_and_foreign_files_are_left_alone()
    {
        _helix.Write("books/sound.yaml", Sound);
        _helix.Write("books/environments/here.yaml", "apiVersion: helix.runbooks/v1\nname: here\ntargets:\n  shelf: { kind: directory, path: shelf }\n");
        _helix.Write("books/docker-compose.yml", "services: {}\n");
        Assert.Equal(0, await _helix.Run("validate", Path.Combine(_helix.Folder, "books"), "--json"));
        Assert.Equal(["here.yaml", "sound.yaml"], _helix.Json["files"]!.AsArray().Select(f => Path.GetFileName((string)f!)));
    }

    [Fact]
    public async Task An_environment_that_is_named_otherwise_than_its_file_is_a_problem()
    {
        var path = _helix.Write("staging.yaml", "apiVersion: helix.runbooks/v1\nname: production\ntargets: {}\n");
        Assert.Equal(2, await _helix.Run("validate", path));
        Assert.Contains($"{path}:2:7: The environment is named 'production', and its file 'staging.yaml'.\n    Hint: Name and file name are the same.", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_is_not_there_ends_with_2_and_a_hint()
    {
        Assert.Equal(2, await _helix.Run("validate", "/nowhere.yaml"));
        Assert.Equal("There is no file or folder '/nowhere.yaml'.\nHint: Check the path; it starts at the folder you are in.\n", _helix.Error);
    }

    [Fact]
    public async Task Quiet_leaves_only_the_result()
    {
        Assert.Equal(0, await _helix.Run("validate", _helix.Write("sound.yaml", Sound), "--quiet"));
        Assert.Equal(("", ""), (_helix.Out, _helix.Error));
    }
}
