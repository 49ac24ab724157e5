"""What exit codes mean, for all verbs."""

OK = 0
FAILED = 1
"""The call failed, or the server could not run."""
USAGE = 2
"""The command line or the configuration is wrong; click's own code too."""
INTERRUPTED = 130
"""Ctrl-C, as a shell reports it."""
