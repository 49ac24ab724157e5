"""`serve`: run the sidecar until it is told to stop."""

import click

from sidecar.cli.options import Refused, configuration_options, load_configuration
from sidecar.config.faults import ConfigError
from sidecar.config.load import Flags


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
    from sidecar.app import run  # the whole server: not worth importing for a configuration that is refused

    try:
        code = run(configuration)
    except ConfigError as error:  # told only by trying: an address that is taken
        raise Refused(error) from error
    context.exit(code)
