// A dummy program that poses as the tools which steps call; what it does is said by its arguments.
return 0;
