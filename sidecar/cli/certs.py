"""`certs`: the verbs about certificates."""

import click

from sidecar.cli.lazy import LazyGroup

VERBS = {"dev": "Make a private authority and SPIFFE certificates, for a try-out."}


@click.group(cls=LazyGroup, verbs=VERBS)
def command() -> None:
    """Make certificates to try a mesh with."""
