"""The command line: arguments, commands, output and its clock."""
