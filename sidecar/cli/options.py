"""The flags that make a configuration: the same for every verb that needs one."""

import os
from collections.abc import Callable
from functools import reduce, wraps
from pathlib import Path
from typing import TypeAlias

import click

from sidecar.cli import exits
from sidecar.config.faults import ConfigError
from sidecar.config.load import Configuration, Flags, load
from sidecar.config.load import load_settings as settings_of
from sidecar.config.settings import Settings
from sidecar.config.sources import Flag

Verb: TypeAlias = Callable[..., None]

# Each stands for one setting. Values stay text: Settings judge them, wherever they come from.
_SETTINGS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "--policy",
        "policy",
        "file",
        "FILE",
        "The Policy: projects, models and tenants. Reloaded when it changes.",
    ),
    (
        "--listen",
        "listen",
        "address",
        "HOST:PORT",
        "Loopback address to serve on; port 0 takes any free one.",
    ),
    ("--socket", "listen", "socket", "PATH", "Unix socket to serve on as well."),
    (
        "--limits-scope",
        "limits",
        "scope",
        "SCOPE",
        "`redis`: limits hold for the whole fleet; `process`: within this sidecar alone. Required.",
    ),
    (
        "--redis",
        "redis",
        "addresses",
        "HOST:PORT",
        "The Redis that a fleet shares, several with commas; or unix:PATH.",
    ),
    ("--log-format", "telemetry", "log_format", "FORMAT", "`json`, `human`, or `auto`: human on a terminal."),
    (
        "--telemetry-address",
        "telemetry",
        "address",
        "HOST:PORT",
        "Where /metrics, /healthz and /readyz are; empty for nowhere.",
    ),
)


class Refused(click.ClickException):
    """A configuration that cannot be used: prints every fault."""

    exit_code = exits.USAGE

    def __init__(self, error: ConfigError) -> None:
        super().__init__(str(error))
        self.faults = error.faults

    def show(self, file: object = None) -> None:
        """Print the faults to stderr, one block each."""
        count = len(self.faults)
        click.echo(f"The configuration has {count} {'fault' if count == 1 else 'faults'}:", err=True)
        for fault in self.faults:
            click.echo(f"\n{fault}", err=True)


def configuration_options(verb: Verb) -> Verb:
    """Give a verb the flags of a configuration; it receives them as `flags`."""

    @wraps(verb)
    def with_flags(*, config: Path | None, emulator: bool, **values: object) -> None:
        given = tuple(
            Flag(group, key, text, name)
            for name, group, key, _, _ in _SETTINGS
            if isinstance(text := values.pop(_parameter(name)), str)
        )
        verb(flags=Flags(given, config, emulator), **values)

    options = [
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The settings, in YAML; else the file that SIDECAR_CONFIG names, if any.",
        ),
        *(click.option(name, metavar=metavar, help=text) for name, _, _, metavar, text in _SETTINGS),
        click.option(
            "--emulator", is_flag=True, help="Play the Gemini API instead of asking it: no key needed."
        ),
    ]
    return reduce(lambda made, option: option(made), reversed(options), with_flags)


def load_configuration(flags: Flags) -> Configuration:
    """The configuration of the flags, the environment and the files. Raises Refused."""
    try:
        return load(flags, os.environ)
    except ConfigError as error:
        raise Refused(error) from error


def load_settings(flags: Flags) -> Settings:
    """The settings alone, without a Policy. Raises Refused."""
    try:
        return settings_of(flags, os.environ)
    except ConfigError as error:
        raise Refused(error) from error


def _parameter(name: str) -> str:
    return name.removeprefix("--").replace("-", "_")
