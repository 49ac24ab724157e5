"""`version`: the product and what it runs on, without importing it."""

import json
import platform
from importlib import metadata

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Print the versions of the product and what it runs on."""
    versions = {
        "gemini-sidecar": _installed("gemini-sidecar"),
        "api": "sidecar.v1",
        "python": platform.python_version(),
        "grpc": _installed("grpcio"),
    }
    if as_json:
        click.echo(json.dumps(versions))
    else:
        click.echo("\n".join(f"{name} {version}" for name, version in versions.items()))


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:  # run from a source tree
        return "not installed"
