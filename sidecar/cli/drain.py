"""`drain`: lets callers from outside go elsewhere, before this pod ends."""

import time

import click

from sidecar.cli.options import Refused, configuration_options, load_settings
from sidecar.cli.params import Duration
from sidecar.config.faults import ConfigError, Fault
from sidecar.config.load import Flags

_LOOK_S = 0.1


@click.command()
@configuration_options
@click.option(
    "--limit",
    type=Duration(),
    metavar="DURATION",
    help="How long to wait for calls in flight  [default: drain.limit].",
)
def command(flags: Flags, limit: float | None) -> None:
    """Drain the Envoy in front of this sidecar.

    This is for the preStop hook of a pod. Peers and callers from outside turn to other pods; their calls in
    flight may finish. Envoy itself would cut them, for it ends at once when it is told to. Start it with
    --drain-strategy immediate.

    Exit codes: 0 no call is left; 1 some are, or no Envoy answers; 2 the settings name no envoy.directory.
    """
    from sidecar.mesh.admin import Admin, EnvoyUnreachable
    from sidecar.mesh.files import Shared

    settings = load_settings(flags)
    if settings.envoy.directory is None:
        fault = Fault("envoy.directory", "", "is not set", "name the directory that Envoy was started with")
        raise Refused(ConfigError([fault]))
    admin = Admin(Shared.of(settings).admin_socket)
    ends_at = time.monotonic() + (settings.drain.limit if limit is None else limit)
    try:
        admin.drain()
        while (left := admin.in_flight()) and time.monotonic() < ends_at:
            time.sleep(_LOOK_S)
    except EnvoyUnreachable as error:
        raise click.ClickException(str(error)) from None
    if left:
        raise click.ClickException(f"{left} calls are still in flight")
