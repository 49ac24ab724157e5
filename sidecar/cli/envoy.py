"""`envoy`: what the Envoy in front of this sidecar is started with."""

import json

import click

from sidecar.cli.options import Refused, configuration_options, load_settings
from sidecar.config.faults import ConfigError
from sidecar.config.load import Flags


@click.command()
@configuration_options
@click.option(
    "--write",
    "is_written",
    is_flag=True,
    help="Write the bootstrap and the files that it names into envoy.directory instead.",
)
def command(flags: Flags, is_written: bool) -> None:
    """Print the bootstrap of the Envoy in front of this sidecar.

    It is JSON, made from the settings, and names files in envoy.directory.

    \b
    With --write, all that Envoy needs lies in envoy.directory afterwards. Start it so:
      envoy -c DIRECTORY/bootstrap.json --disable-hot-restart --concurrency 1 \\
        --drain-strategy immediate --drain-time-s 5 --file-flush-interval-msec 1000

    Exit code 2: the settings lack something for an Envoy; all of it is told. 1: the files cannot be written.
    """
    from sidecar.mesh.bootstrap import render
    from sidecar.mesh.files import install

    settings = load_settings(flags)
    try:
        bootstrap = render(settings)
    except ConfigError as error:
        raise Refused(error) from error
    if not is_written:
        click.echo(json.dumps(bootstrap, indent=2))
        return
    try:
        click.echo(str(install(settings, bootstrap)))
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}") from None
