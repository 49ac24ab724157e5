"""`emulate`: the Gemini API on a loopback port, for a try-out or a test."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import click

from sidecar.config.units import is_loopback
from sidecar.emulator import FAULTS, KEYS, Emulator, QuotaPlan, parse_plan

_PORT = 8081
_EXAMPLES = """\
  curl -s 'URL/v1beta/models?pageSize=3' -H 'x-goog-api-key: any'
  curl -s URL/v1beta/models/gemini-3.8-flash:generateContent -H 'x-goog-api-key: any' \\
    -d '{"contents": [{"parts": [{"text": "hi"}]}]}'
  curl -sN 'URL/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse' -H 'x-goog-api-key: any' \\
    -d '{"contents": [{"parts": [{"text": "hi"}]}]}'"""


class _Explained(click.Command):
    """A command whose help ends with what a request may ask for."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the tables of directive keys and of faults."""
        formatter.write_paragraph()
        formatter.write_text(
            "Any request can ask for latency, lengths and faults, for itself alone: by the header "
            "`x-emulate: fault=quota_rpm retry_after=1.5s`, or by a directive anywhere in its text: "
            "`[[emulate: fault=quota_rpm retry_after=1.5s]]`."
        )
        with formatter.section("Directive keys"):
            formatter.write_dl([(name, key.meaning) for name, key in KEYS.items()])
        with formatter.section("Faults"):
            formatter.write_dl([(name, fault.meaning) for name, fault in FAULTS.items()])


def _loopback(context: click.Context, parameter: click.Parameter, host: str) -> str:
    if not is_loopback(host):
        raise click.BadParameter(
            "take a loopback address: the emulator lets everybody in", context, parameter
        )
    return host


_COUNT = click.IntRange(min=0)


@click.command(cls=_Explained)
@click.option("--host", default="127.0.0.1", show_default=True, callback=_loopback, help="Loopback address.")
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="TCP port; 0 takes any free one.",
)
@click.option("--rpm", type=_COUNT, help="Requests in any minute, for each key and model.")
@click.option("--tpm", type=_COUNT, help="Input tokens in any minute, for each key and model.")
@click.option("--rpd", type=_COUNT, help="Requests until midnight Pacific time, for each key and model.")
@click.option(
    "--spend-usd", type=click.FloatRange(min=0), help="US dollars in any ten minutes, for each key."
)
@click.option(
    "--tier", type=click.Choice(["free", "1", "2", "3"]), help="Whose words quotas use [default: 1]."
)
@click.option(
    "--quota-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Quotas by project, key and model, in YAML, in place of the five options above.",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Append a line of JSON when a request arrives and when it ends.",
)
def command(
    host: str, port: int, quota_file: Path | None, log: Path | None, **quotas: int | float | str | None
) -> None:
    """Play the Gemini API on a loopback port, without a key.

    Prints its base URL, to be named as a project's `base_url` in a Policy or in any Gemini client. Ctrl-C
    ends it with 0. Exit code 1: it could not listen or write its log.
    """
    plan = _plan(quota_file, {name: value for name, value in quotas.items() if value is not None})
    asyncio.run(_emulate(Emulator(host, port, quotas=plan, log=log), f"{host}:{port}"))


def _plan(quota_file: Path | None, flags: dict[str, Any]) -> QuotaPlan:
    """Return the quotas of the file or of the flags. Raises UsageError."""
    if quota_file is None:
        limits = {name: flags.pop(name) for name in ("rpm", "tpm", "rpd") if name in flags}
        return parse_plan(flags | {"models": {"*": limits}})
    if flags:
        names = ", ".join("--" + name.replace("_", "-") for name in flags)
        raise click.UsageError(f"--quota-file says all quotas; leave out {names}, or put it into the file")
    return _plan_of(quota_file)


def _plan_of(quota_file: Path) -> QuotaPlan:
    import yaml  # only who has a quota file pays for it

    try:
        return parse_plan(yaml.safe_load(quota_file.read_bytes()))
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise click.BadParameter(
            f"{quota_file} cannot be used:\n{error}", param_hint="--quota-file"
        ) from None


async def _emulate(emulator: Emulator, place: str) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        await emulator.start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.filename:
            raise click.ClickException(f"cannot write the log {error.filename}: {reason}") from None
        raise click.ClickException(f"cannot listen on {place}: {reason}; take another --port") from None
    try:
        click.echo(f"Playing the Gemini API at {emulator.base_url}. Try it:")
        click.echo(_EXAMPLES.replace("URL", emulator.base_url))
        await stopped.wait()
    finally:
        await emulator.stop()
