using System.Text;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>The text of a runbook of every kind of block whose end does not depend on which branch is faster.</summary>
sealed class RandomBook(int seed, string world)
{
    readonly Random _random = new(seed);
    readonly StringBuilder _text = new();
    readonly List<string> _loops = [];
    int _steps;

    public string Body()
    {
        Part("steps", 1 + _random.Next(3), 2, "");
        if (_random.Next(2) == 0)
            Part("rescue", 1, 0, "");
        if (_random.Next(2) == 0)
            Part("finally", 1, 0, "");
        return _text.ToString();
    }

    void Part(string name, int count, int depth, string indent, bool sure = false)
    {
        _text.Append($"{indent}{name}:\n");
        Items(count, depth, indent + "  ", sure);
    }

    void Items(int count, int depth, string indent, bool sure)
    {
        for (var i = 0; i < count; i++)
            Item(depth, indent, sure);
    }

    /// <param name="sure">Inside of branches a failure would stop whatever the others are just doing, so there it is only a warning.</param>
    void Item(int depth, string indent, bool sure)
    {
        var id = $"s{_steps++}";
        switch (depth == 0 ? 0 : _random.Next(6))
        {
            case 3:
                _text.Append($"{indent}- id: {id}\n{indent}  ifFails: {(sure || _random.Next(2) == 0 ? "continue" : "abort")}\n");
                Part("steps", 1 + _random.Next(2), depth - 1, indent + "  ", sure);
                Part("rescue", 1, 0, indent + "  ", sure);
                Part("finally", 1, 0, indent + "  ", sure);
                break;
            case 4:
                _text.Append($"{indent}- id: {id}\n{indent}  parallel:\n");
                for (var i = 0; i < 2; i++)
                {
                    _text.Append($"{indent}    -\n");
                    Items(1 + _random.Next(2), depth - 1, indent + "      ", sure: true);
                }
                break;
            case 5:
                _text.Append($"{indent}- id: {id}\n{indent}  forEach: [a, b, c]\n{indent}  as: e_{id}\n{indent}  maxParallel: {1 + _random.Next(3)}\n");
                _loops.Add($"e_{id}");
                Part("steps", 1 + _random.Next(2), depth - 1, indent + "  ", sure: true);
                _loops.RemoveAt(_loops.Count - 1);
                break;
            default:
                _text.Append(indent + Leaf(id, sure));
                break;
        }
    }

    string Leaf(string id, bool sure)
    {
        var line = string.Concat(_loops.Select(l => $" {{{{ {l} }}}}"));
        var (more, policy) = _random.Next(8) switch
        {
            0 => (", canTell: false", ""),
            1 => (", failFirst: 1", ", retry: { attempts: 2, delay: 2ms }"),
            2 when sure => (", failFirst: 99, failure: conflict", ", ifFails: continue"),
            2 => (", failFirst: 99, failure: conflict", ""),
            _ => ("", ""),
        };
        return $"- {{ id: {id}, uses: world.write, with: {{ world: {world}, line: \"{id}{line}\"{more} }}{policy} }}\n";
    }
}
