"""How the client verbs reach a sidecar."""

from typing import Any

import click
import grpc

from sidecar.cli.params import Address

_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.enable_http_proxy", 0),  # a proxy of the environment is for the way out, not for the sidecar
    ("grpc.max_receive_message_length", -1),  # the sidecar's own limit is the one that counts
    ("grpc.max_send_message_length", -1),
)

address_option = click.option(
    "--address",
    type=Address(),
    default="127.0.0.1:50051",
    show_default=True,
    help="Where the sidecar listens: host:port or unix:PATH.",
)
"""Which sidecar to ask."""


def open_channel(address: str) -> grpc.Channel:
    """A channel to the sidecar there; it connects with the first call."""
    return grpc.insecure_channel(address, options=_OPTIONS)
