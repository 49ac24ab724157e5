"""`quota show`: where the limits of a running sidecar stand, once or until Ctrl-C."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
import grpc

from sidecar.cli import exits
from sidecar.cli.channel import address_option, open_channel
from sidecar.cli.failure import describe
from sidecar.cli.levels import JsonScreen, Levels, TableScreen
from sidecar.cli.params import Duration, Words
from sidecar.v1.quota_pb2 import GetQuotaRequest, WatchQuotaRequest
from sidecar.v1.quota_service_pb2_grpc import QuotaServiceStub

_PATIENCE_S = 10.0
"""A sidecar answers at once or is stuck."""


@dataclass(frozen=True, slots=True)
class Look:
    """What to look at; the fields are parameters of `quota show`."""

    groups: tuple[str, ...]
    watch: bool
    interval: float | None
    """Seconds; None leaves it to the sidecar."""
    address: str

    def levels(self) -> Iterator[Levels]:
        """Where limits stand, once or again and again. Raises grpc.RpcError; closing the iterator ends it."""
        with open_channel(self.address) as channel:
            stub = QuotaServiceStub(channel)
            if self.watch:
                yield from stub.WatchQuota(self._request())
            else:
                request = GetQuotaRequest(group_prefixes=self.groups)
                # The plain call would not wake for Ctrl-C before the answer is there.
                yield stub.GetQuota.future(request, timeout=_PATIENCE_S).result()

    def _request(self) -> WatchQuotaRequest:
        request = WatchQuotaRequest(group_prefixes=self.groups)
        if self.interval is not None:
            request.interval.FromNanoseconds(round(self.interval * 1_000_000_000))
        return request


@click.command()
@click.argument("groups", nargs=-1, type=Words(), metavar="[GROUP]...")
@click.option("--watch", is_flag=True, help="Show every change, until Ctrl-C.")
@click.option(
    "--interval",
    type=Duration(),
    help="With --watch: the least time between two looks. [default: 1s]",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print protobuf's JSON (lowerCamelCase keys); with --watch one message a line.",
)
@address_option
@click.pass_context
def command(context: click.Context, /, as_json: bool, **given: Any) -> None:
    """Show where the limits of a running sidecar stand.

    One line for each limit of each GROUP, all without one; `budget/` names every group that begins so.
    AVAILABLE is what may still be granted, HELD what sidecars were granted ahead. A FACTOR below 1 was
    learned from refusals. MODE says how the limits are kept: normal, or without their ledger.

    \b
    Exit codes: 0 shown, 1 no such group, or the sidecar could not be asked,
                2 wrong command line, 130 interrupted.
    """
    look = Look(**given)
    if look.interval is not None and not look.watch:
        raise click.UsageError("--interval goes with --watch")
    screen = JsonScreen(is_stream=look.watch) if as_json else TableScreen()
    try:
        for levels in look.levels():
            screen.show(levels)
            if look.groups and not look.watch and not levels.groups:
                raise click.ClickException(f"no limit group begins with {' or '.join(look.groups)}")
    except grpc.RpcError as error:
        click.echo(describe(error, look.address), err=True)
        context.exit(exits.FAILED)
