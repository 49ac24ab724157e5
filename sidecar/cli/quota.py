"""`quota`: the verbs about quotas and budgets."""

import click

from sidecar.cli.lazy import LazyGroup

VERBS = {
    "show": "Show where the limits of a running sidecar stand.",
    "simulate": "Try a Policy on a simulated fleet, before it is shipped.",
}


@click.group(cls=LazyGroup, verbs=VERBS, default="show", subcommand_metavar="[VERB] ...")
def command() -> None:
    """Show where quotas and budgets stand.

    Without a verb it is `quota show`, whose options it takes: gemini-sidecar quota --watch budget/
    """
