// A dummy program that poses as the tools which steps call; what it does is said by its arguments.
return args switch
{
    ["journal", var verb, var file, var run, var count] => JournalWriter.Run(verb, file, run, int.Parse(count)),
    _ => 0,
};
