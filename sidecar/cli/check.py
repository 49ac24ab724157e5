"""`check`: what would be served with this configuration, or all that is wrong with it."""

import json
from dataclasses import asdict
from typing import Any, get_args

import click
import yaml

from sidecar.cli import exits
from sidecar.cli.decision import Question, question_options
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
@question_options
@click.pass_context
def command(
    context: click.Context, flags: Flags, schema: FileKind | None, as_json: bool, question: Question | None
) -> None:
    """Check a configuration and print what is in force.

    Takes the flags of `serve`, reads the same files and variables, and prints the effective settings and
    Policy with credentials masked. With --as it prints what the Policy says of one call, and which rule does.

    \b
    Exit codes: 0 no faults, with --as: allowed; 1 with --as: denied;
                2 wrong command line, or there are faults; all are printed.
    """
    if schema:
        _print_json(json_schema(schema))
        return
    try:
        configuration = load_configuration(flags)
    except Refused as refused:
        if not as_json:
            raise
        _print_json({"faults": [asdict(fault) for fault in refused.faults]})
        context.exit(refused.exit_code)
    if question is not None:
        verdict = question.put_to(configuration)
        _print_json(asdict(verdict)) if as_json else click.echo(str(verdict))
        context.exit(exits.OK if verdict.allowed else exits.FAILED)
    tree = effective(configuration)
    if as_json:
        _print_json(tree)
    else:
        click.echo(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), nl=False)


def _print_json(tree: dict[str, Any]) -> None:
    click.echo(json.dumps(tree, indent=2))
