"""The two commands (run, test) and their helpers. Standard library only."""
