"""`check --as`: what the Policy says of one call of one caller."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import reduce, wraps
from typing import Any, get_args

import click

from sidecar.config.load import Configuration
from sidecar.config.quota_schema import Tier
from sidecar.core.call import Method
from sidecar.core.feature import Feature
from sidecar.core.policy import STANDARD_TIER
from sidecar.core.principal import Principal
from sidecar.core.rules import Deed
from sidecar.policy.authorization import explain

_WITHOUT_OUTPUT = frozenset(Method) - {Method.GENERATE, Method.STREAM_GENERATE}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the Policy says."""

    allowed: bool
    rule: str
    """The rule that decides; `default` when none matches, or the key of the Policy that denies."""
    principal: str
    tenant: str

    def __str__(self) -> str:
        what = "allowed" if self.allowed else "denied"
        tenant = f" (tenant {self.tenant})" if self.tenant else ""
        return f"{what} by {self.rule}: {self.principal}{tenant}"


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks for what; the fields are options of `check`."""

    principal: str
    model: str
    method: str
    feature: tuple[str, ...]
    scope: tuple[str, ...]
    tier: str
    max_output_tokens: int | None

    def put_to(self, configuration: Configuration) -> Verdict:
        """What this configuration says. Raises UsageError where there is no Policy to ask."""
        policy = configuration.policy
        if policy is None:
            raise click.UsageError("--as asks a Policy, and --emulator has none to ask")
        caller = Principal(
            self.principal,
            policy.tenant_of(self.principal),
            is_pod=self.principal == configuration.settings.identity.principal,
            scopes=frozenset(self.scope) or None,
        )
        if policy.asks_for_tokens and caller.scopes is None and not caller.is_pod:
            return Verdict(False, "tokens", caller.id, caller.tenant)
        deed = Deed(
            method=self.method,
            tier=self.tier,
            output_tokens=0 if self.method in _WITHOUT_OUTPUT else self.max_output_tokens,
            features=frozenset(map(Feature, self.feature)),
        )
        decision = explain(policy, caller, self.model, deed)
        return Verdict(decision.is_allowed, decision.rule, caller.id, caller.tenant)


def question_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options of a question; it receives `question`, None without --as."""

    @wraps(verb)
    def with_question(**values: Any) -> None:
        given = {field.name: values.pop(field.name) for field in fields(Question)}
        asked = Question(**given) if given["principal"] else None
        if asked is None and (given["model"] or given["feature"] or given["scope"]):
            raise click.UsageError("--model, --feature and --scope go with --as")
        if asked is not None and not asked.model and asked.method != Method.LIST_MODELS:
            raise click.UsageError(f"--as needs --model: {asked.method} names one")
        verb(question=asked, **values)

    options = [
        click.option("--as", "principal", metavar="PRINCIPAL", help="Who asks: print what the Policy says."),
        click.option("--model", default="", help="The model asked for, by any name."),
        click.option(
            "--method",
            type=click.Choice([str(method) for method in Method]),
            metavar="METHOD",
            default=str(Method.GENERATE),
            show_default=True,
            help="What is asked for, such as CountTokens.",
        ),
        click.option(
            "--feature",
            multiple=True,
            type=click.Choice([str(feature) for feature in Feature]),
            metavar="FEATURE",
            help="What the call makes use of, such as grounding; may be repeated.",
        ),
        click.option(
            "--scope",
            multiple=True,
            help="What the caller's token is good for; may be repeated. Without any it shows none.",
        ),
        click.option(
            "--tier",
            type=click.Choice(get_args(Tier)),
            default=STANDARD_TIER,
            show_default=True,
            help="The service tier.",
        ),
        click.option(
            "--max-output-tokens", type=click.IntRange(min=1), help="The bound that the call sets, if any."
        ),
    ]
    return reduce(lambda made, option: option(made), reversed(options), with_question)
