"""`emulate`: the Gemini API on a loopback port, for a try-out or a test."""

import asyncio
import os
import signal

import click

from sidecar.config.units import is_loopback
from sidecar.emulator import Emulator

_PORT = 8081
_EXAMPLES = """\
  curl -s 'URL/v1beta/models?pageSize=3' -H 'x-goog-api-key: any'
  curl -s URL/v1beta/models/gemini-3.8-flash:generateContent -H 'x-goog-api-key: any' \\
    -d '{"contents": [{"parts": [{"text": "hi"}]}]}'
  curl -sN 'URL/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse' -H 'x-goog-api-key: any' \\
    -d '{"contents": [{"parts": [{"text": "hi"}]}]}'"""


def _loopback(context: click.Context, parameter: click.Parameter, host: str) -> str:
    if not is_loopback(host):
        raise click.BadParameter(
            "take a loopback address: the emulator lets everybody in", context, parameter
        )
    return host


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, callback=_loopback, help="Loopback address.")
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="TCP port; 0 takes any free one.",
)
def command(host: str, port: int) -> None:
    """Play the Gemini API on a loopback port, without a key.

    Prints its base URL, to be named as a project's `base_url` in a Policy or in any Gemini client. Ctrl-C
    ends it with 0. Exit code 1: it could not listen.
    """
    asyncio.run(_emulate(host, port))


async def _emulate(host: str, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    emulator = Emulator(host, port)
    try:
        await emulator.start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"cannot listen on {host}:{port}: {reason}; take another --port") from None
    try:
        click.echo(f"Playing the Gemini API at {emulator.base_url}. Try it:")
        click.echo(_EXAMPLES.replace("URL", emulator.base_url))
        await stopped.wait()
    finally:
        await emulator.stop()
