"""`check`: what would be served with this configuration, or all that is wrong with it."""

import json
from dataclasses import asdict
from typing import Any, get_args

import click
import yaml

from sidecar.cli.options import Refused, configuration_options, load_configuration
from sidecar.config.load import Flags
from sidecar.config.show import FileKind, effective, json_schema


@click.command()
@configuration_options
@click.option(
    "--schema",
    type=click.Choice(get_args(FileKind)),
    help="Print the JSON Schema of a file and check nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, the faults too, instead of YAML and text.")
@click.pass_context
def command(context: click.Context, flags: Flags, schema: FileKind | None, as_json: bool) -> None:
    """Check a configuration and print what is in force.

    Takes the flags of `serve`, reads the same files and variables, and prints the effective settings and
    Policy with credentials masked. Exit code 2: there are faults; all are printed.
    """
    if schema:
        _print_json(json_schema(schema))
        return
    try:
        tree = effective(load_configuration(flags))
    except Refused as refused:
        if not as_json:
            raise
        _print_json({"faults": [asdict(fault) for fault in refused.faults]})
        context.exit(refused.exit_code)
    if as_json:
        _print_json(tree)
    else:
        click.echo(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), nl=False)


def _print_json(tree: dict[str, Any]) -> None:
    click.echo(json.dumps(tree, indent=2))
