namespace Helix.Server.Live;

/// <summary>What a loop of the server cannot do for now: it says so once, not at every look, and goes on.</summary>
sealed class Complaint(Action<string> say)
{
    string _said = "";

    public void Of(string words)
    {
        if (_said != words)
            say(_said = words);
    }

    /// <summary>The next one is a new one, whatever it says.</summary>
    public void IsOver() => _said = "";
}
