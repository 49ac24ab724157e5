"""A group of verbs, each imported only when it is called.

A verb's imports are its own business: `version` must not wait for gRPC, nor `call` for the server. So help of
a group is made from a table of names and one-line summaries.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose verb X is `command` in `sidecar.cli.X`; where nothing else is named, its `default`."""

    def __init__(self, *args: Any, verbs: Mapping[str, str], default: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = verbs
        self._default = default

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of the table."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; None when there is none of this name."""
        if cmd_name not in self._verbs:
            return None
        command: click.Command = importlib.import_module(f"sidecar.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(self._verbs.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default verb first where the command line names none. Completion still offers them all."""
        is_named = bool(args) and (args[0] in self._verbs or args[0] in ctx.help_option_names)
        if self._default and not is_named and (args or not ctx.resilient_parsing):
            args = [self._default, *args]
        return super().parse_args(ctx, args)
