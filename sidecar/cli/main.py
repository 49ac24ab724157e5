"""The command `gemini-sidecar`: finds the verb and imports it alone.

A verb's imports are its own business: `version` must not wait for gRPC, nor `call` for the server. So help of
the group is made from the table here.
"""

import importlib
import os

import click

from sidecar.cli import exits

VERBS = {
    "call": "Ask a model once and print the answer.",
    "check": "Check a configuration and print what is in force.",
    "emulate": "Play the Gemini API on a loopback port, without a key.",
    "serve": "Run the sidecar.",
    "version": "Print the versions of the product and what it runs on.",
}


class LazyGroup(click.Group):
    """A group whose verb X is `command` in `sidecar.cli.X`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of the alphabet."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; None when there is none of this name."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"sidecar.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> None:
        """Run a verb. click would end with 1 on Ctrl-C; a shell expects 130."""
        # gRPC's core writes to stderr what our errors say better, in a format that is neither text nor JSON.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(exits.INTERRUPTED)


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def main() -> None:
    """A typed gRPC face for the Gemini API on localhost.

    \b
    Start it:   gemini-sidecar serve --limits-scope process --emulator
    Ask it:     gemini-sidecar call --model gemini-3.8-flash "hi"

    \b
    Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 130 interrupted.

    \b
    Shell completion, here for bash (zsh and fish alike), in ~/.bashrc:
      eval "$(_GEMINI_SIDECAR_COMPLETE=bash_source gemini-sidecar)"
    """
