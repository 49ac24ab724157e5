"""The command `gemini-sidecar`: its verbs, and what Ctrl-C means to all of them."""

import os

import click

from sidecar.cli import exits
from sidecar.cli.lazy import LazyGroup

VERBS = {
    "call": "Ask a model once and print the answer.",
    "certs": "Make certificates to try a mesh with.",
    "check": "Check a configuration and print what is in force.",
    "drain": "Drain the Envoy in front of this sidecar.",
    "emulate": "Play the Gemini API on a loopback port, without a key.",
    "envoy": "Print the bootstrap of the Envoy in front of this sidecar.",
    "quota": "Show where quotas and budgets stand.",
    "serve": "Run the sidecar.",
    "version": "Print the versions of the product and what it runs on.",
}


class Program(LazyGroup):
    """The outermost group."""

    def invoke(self, ctx: click.Context) -> None:
        """Run a verb. click would end with 1 on Ctrl-C; a shell expects 130."""
        # gRPC's core writes to stderr what our errors say better, in a format that is neither text nor JSON.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(exits.INTERRUPTED)


@click.group(
    cls=Program,
    verbs=VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
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
