"""What the process is told: Settings (this process) and Policy (the fleet).

The one package that reads configuration files and the environment, and the one that knows pydantic.
Everything it hands out is validated and frozen, so no other package checks a setting or reads it again.
"""
