using Helix.Runbooks.Journal;
using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;
using Helix.Server.Accounts;
using Helix.Server.SignOns;

namespace Helix.Server.Tests.Accounts;

/// <summary>Two servers of one store, or two windows of one person, do the same at the same moment.</summary>
public sealed class AtOnceTests(PostgresServer postgres) : IDisposable
{
    const int Often = 25;

    readonly string _folder = Directory.CreateTempSubdirectory("helix-at-once-").FullName;
    readonly List<IDisposable> _opened = [];
    AccountStore[] _both = [];

    void Open(string place)
    {
        var store = place == "file" ? Path.Combine(_folder, "helix.db") : postgres.Store();
        _opened.Add(JournalStore.Open(store, TimeProvider.System));
        var signOn = new SignOn
        {
            Issuer = "https://id.example",
            ClientId = "helix",
            Button = "Sign on",
            Scopes = [],
            AccountClaim = "name",
            GroupsClaim = "groups",
            SameNames = false,
            People = new Dictionary<string, string>(),
            Roles = new Dictionary<string, IReadOnlyList<string>> { ["sre"] = ["operator:*"] },
            Approvers = new Dictionary<string, IReadOnlyList<string>>(),
            FreshFor = TimeSpan.FromHours(8),
            BaseDirectory = _folder,
        };
        _both = [.. Enumerable.Range(0, 2).Select(_ => new AccountStore(place == "file" ? Path.Combine(_folder, "server.db") : store, TimeProvider.System, 1000) { SignOn = signOn })];
        _opened.AddRange(_both);
    }

    /// <summary>What each got of it.</summary>
    async Task<T[]> AtOnce<T>(Func<AccountStore, int, T> work)
    {
        using var start = new Barrier(2);
        return await Task.WhenAll(_both.Select((store, i) => Task.Run(() =>
        {
            start.SignalAndWait();
            return work(store, i);
        })));
    }

    [Theory, InlineData("file"), InlineData("database")]
    public async Task A_name_becomes_an_account_once_and_the_other_is_told(string place)
    {
        Open(place);
        for (var n = 0; n < Often; n++)
        {
            var made = await AtOnce((store, _) =>
            {
                try
                {
                    store.Add($"bob{n}", [new Grant(Role.Viewer, "*")]);
                    return "";
                }
                catch (RunbookException e)
                {
                    return e.Message;
                }
            });
            Assert.Equal(["", $"There is an account 'bob{n}' already."], made.Order());
            Assert.Equal([new Grant(Role.Viewer, "*")], _both[0].Find($"bob{n}")!.Grants);
        }
    }

    [Theory, InlineData("file"), InlineData("database")]
    public async Task Of_two_sets_of_roles_one_holds_and_not_both(string place)
    {
        Open(place);
        _both[0].Add("bob", []);
        Grant[][] sets = [[new(Role.Operator, "*"), new(Role.Viewer, "*")], [new(Role.Approver, "*"), new(Role.Viewer, "*")]];
        for (var n = 0; n < Often; n++)
        {
            await AtOnce((store, i) =>
            {
                store.SetGrants("bob", sets[i]);
                return i;
            });
            Assert.Contains(_both[0].Find("bob")!.Grants.ToArray(), sets);
        }
    }

    [Theory, InlineData("file"), InlineData("database")]
    public async Task Who_signs_on_for_the_first_time_in_two_windows_gets_one_account_and_two_of_a_name_get_two(string place)
    {
        Open(place);
        for (var n = 0; n < Often; n++)
        {
            var one = await AtOnce((store, _) => store.SignedOn(new Vouched($"sub-{n}", $"bob{n}", ["sre"])).Name);
            Assert.Equal([$"oidc:bob{n}", $"oidc:bob{n}"], one);
            var two = await AtOnce((store, i) => store.SignedOn(new Vouched($"sub-{n}-{i}", $"eve{n}", ["sre"])).Name);
            Assert.Equal(2, two.Distinct().Count());
            Assert.All(two, (name, i) => Assert.Equal($"sub-{n}-{i}", Assert.Single(_both[0].IdentitiesOf(name)).Subject));
        }
    }

    [Theory, InlineData("file"), InlineData("database")]
    public async Task A_wrong_password_is_counted_while_the_right_one_is_given_elsewhere(string place)
    {
        Open(place);
        for (var n = 0; n < 4 * Often; n++)
            await AtOnce((store, i) =>
            {
                if (i == 0)
                    store.CountFailed("bob", _ => TimeProvider.System.GetUtcNow());
                else
                    store.ForgetFailed("bob");
                return i;
            });
    }

    public void Dispose()
    {
        _opened.ForEach(o => o.Dispose());
        TempFolder.Delete(_folder);
    }
}
