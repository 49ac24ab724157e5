"""`serve`: run the sidecar until it is told to stop."""

import os

import click

from sidecar.cli.options import Refused, configuration_options, load_configuration
from sidecar.config.faults import ConfigError
from sidecar.config.load import Flags

_GRPC_EXPERIMENTS = "-event_engine_listener"
"""Measured on one core: 2 to 9 % more calls and 2 to 10 % more chunks a second; why, is not known for sure.
grpc reads the variable when it is imported, and complains on stderr once it no longer knows the word.
"""


@click.command()
@configuration_options
@click.pass_context
def command(context: click.Context, /, flags: Flags) -> None:
    """Run the sidecar.

    Flags win over SIDECAR_<GROUP>_<KEY> variables, those over the settings file. `gemini-sidecar check` takes
    the same flags and prints what is in force.

    SIGTERM or Ctrl-C drains: calls in flight may finish, then the process ends with 0; a second one cuts that
    short. Exit code 2: the configuration is wrong, or an address is taken.
    """
    configuration = load_configuration(flags)
    os.environ.setdefault("GRPC_EXPERIMENTS", _GRPC_EXPERIMENTS)
    from sidecar.app import run  # the whole server: not worth importing for a configuration that is refused

    try:
        code = run(configuration)
    except ConfigError as error:  # told only by trying: an address that is taken
        raise Refused(error) from error
    context.exit(code)
