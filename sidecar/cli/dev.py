"""`certs dev`: a private authority, and SPIFFE certificates of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sidecar.cli.params import Duration
from sidecar.config.checks import trust_domain_name
from sidecar.config.faults import Unacceptable
from sidecar.core.spiffe import SCHEME, trust_domain

if TYPE_CHECKING:
    from sidecar.mesh.authority import Authority

_LASTS_S = 24 * 3600.0
_PUBLIC, _PRIVATE = 0o644, 0o600


def _trust_domain(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        trust_domain_name(value)
    except Unacceptable as refusal:
        raise click.BadParameter(f"{value} {refusal.reason}: {refusal.remedy}", context, parameter) from None
    return value


def _spiffe_paths(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    for value in values:
        if not trust_domain(f"{SCHEME}any/{value.strip('/')}"):
            raise click.BadParameter(
                f"{value!r} is no path of a SPIFFE id: write one such as ns/shop/sa/cart", context, parameter
            )
    return values


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIRECTORY")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", callback=_spiffe_paths)
@click.option(
    "--trust-domain",
    "domain",
    default="dev.example",
    show_default=True,
    callback=_trust_domain,
    help="The trust domain of all ids.",
)
@click.option(
    "--lasts",
    type=Duration(),
    default=_LASTS_S,
    show_default="24h",
    metavar="DURATION",
    help="How long the certificates are valid.",
)
@click.option("--new-authority", is_flag=True, help="Make a new authority, even where there is one.")
def command(
    directory: Path,
    paths: tuple[str, ...],
    domain: str,
    lasts: float,
    new_authority: bool,
) -> None:
    """Make certificates for spiffe://TRUST-DOMAIN/PATH, such as ns/shop/sa/cart, for a try-out.

    \b
    Each PATH gets a directory named by its last part, as `envoy.certificates` wants it:
      tls.crt, tls.key   its certificate and key
      ca.crt             the authority
    The authority, with its key, lies in DIRECTORY and is used again. Certificates that are there are
    replaced: a running Envoy takes the new ones at once.

    Exit code 1: something cannot be read or written.
    """
    from sidecar.mesh.files import write

    now, lifetime = datetime.now(UTC), timedelta(seconds=lasts)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        authority = None if new_authority else _found(directory)
        authority = authority or _made(directory, domain, now)
        for path in paths:
            spiffe_id = f"{SCHEME}{domain}/{path.strip('/')}"
            folder = directory / spiffe_id.rpartition("/")[2]
            folder.mkdir(exist_ok=True)
            pair = authority.issue(spiffe_id, now, lifetime)
            write(folder / "ca.crt", authority.pair.certificate, _PUBLIC)
            write(folder / "tls.key", pair.key, _PRIVATE)
            write(folder / "tls.crt", pair.certificate, _PUBLIC)
            click.echo(f"{folder}  {spiffe_id}")
    except (OSError, ValueError) as error:
        raise click.ClickException(f"no certificate could be made: {error}") from None


def _found(directory: Path) -> "Authority | None":
    from sidecar.mesh.authority import Authority, Pair

    certificate, key = directory / "ca.crt", directory / "ca.key"
    if not certificate.exists() or not key.exists():
        return None
    return Authority(Pair(certificate.read_bytes(), key.read_bytes()))


def _made(directory: Path, domain: str, now: datetime) -> "Authority":
    from sidecar.mesh.authority import Authority
    from sidecar.mesh.files import write

    authority = Authority.new(domain, now, timedelta(days=30))
    write(directory / "ca.key", authority.pair.key, _PRIVATE)
    write(directory / "ca.crt", authority.pair.certificate, _PUBLIC)
    return authority
