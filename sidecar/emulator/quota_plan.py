"""Which quotas hold: limits for each project and model, and the keys that belong to a project.

Decides the form of a quota document and what it means; without a document there are no limits. What is used
up is the business of `quotas`.

    tier: free                       # of projects that name none: free, 1 (the default), 2 or 3
    spend_usd: 10                    # of each project, over all its models, within ten minutes
    models:
      gemini-3.8-flash: {rpm: 10, tpm: 250000, rpd: 20}
      "*": {rpm: 60}                 # each other model by itself
    projects:
      alpha:
        keys: [key-1, key-2]         # keys that share alpha's quotas
        models: {"*": {rpm: 5}}      # replaces the models above, whole

Invariant: a plan holds digests of keys, never a key.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

TIERS = ("free", "1", "2", "3")
EVERY_MODEL = "*"
_LIMITS = ("rpm", "tpm", "rpd")
_PICO = 10**12
_MAX_LIMIT = 10**15


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one model in one project; None is without limit.

    `rpm` and `rpd` count requests, `tpm` input tokens.
    """

    rpm: int | None = None
    tpm: int | None = None
    rpd: int | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one project may use: its tier, the limits of its models, and its spend within ten minutes."""

    tier: str = "1"
    models: Mapping[str, Limits] = field(default_factory=dict)
    spend_pico_usd: int | None = None

    def limits(self, model: str) -> Limits:
        """Return the limits of `model`."""
        return self.models.get(model) or self.models.get(EVERY_MODEL) or Limits()


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """The allowances of named projects, and of every other one."""

    default: Allowance = field(default_factory=Allowance)
    projects: Mapping[str, Allowance] = field(default_factory=dict)
    project_of_caller: Mapping[str, str] = field(default_factory=dict)

    def project(self, caller: str) -> str:
        """Return the project of `caller`: a name by `caller_of_key`, or a project named in a path."""
        return self.project_of_caller.get(caller, caller)

    def allowance(self, project: str) -> Allowance:
        """Return what `project` may use."""
        return self.projects.get(project, self.default)


UNLIMITED = QuotaPlan()
"""The plan without any limit."""


def caller_of_key(key: str) -> str:
    """Return a name for whoever has `key`, from which the key cannot be found again."""
    return "key-" + blake2b(key.encode(), digest_size=6, person=b"emulator-caller").hexdigest()


def parse_plan(document: Any) -> QuotaPlan:
    """Return the plan that `document`, the parsed YAML or JSON of a quota file, describes.

    Raises:
        ValueError: one line for each fault, with its place and what is admissible.
    """
    faults: list[str] = []
    plan = _Reader(faults).plan(document)
    if faults:
        raise ValueError("\n".join(faults))
    return plan


class _Reader:
    """Reads a document and collects its faults."""

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults

    def plan(self, document: Any) -> QuotaPlan:
        known = ("tier", "spend_usd", "models", "projects")
        fields = dict(self._fields(document, "", known))
        default = self._allowance(fields, "", Allowance())
        projects: dict[str, Allowance] = {}
        callers: dict[str, str] = {}
        for name, given in self._fields(fields.get("projects", {}), "projects"):
            place = f"projects.{name}"
            inner = dict(self._fields(given, place, ("keys", "tier", "spend_usd", "models")))
            projects[name] = self._allowance(inner, place + ".", default)
            for key in self._keys(inner.get("keys", []), f"{place}.keys"):
                if callers.setdefault(caller_of_key(key), name) != name:
                    self._faults.append(f"{place}.keys: a key that another project has too")
        return QuotaPlan(default, projects, callers)

    def _allowance(self, fields: Mapping[str, Any], place: str, default: Allowance) -> Allowance:
        tier = str(fields.get("tier", default.tier))
        if tier not in TIERS:
            self._faults.append(f"{place}tier: must be one of {', '.join(TIERS)}, not {tier!r}")
        models = default.models
        if "models" in fields:
            models = {
                model: self._limits(given, f"{place}models.{model}")
                for model, given in self._fields(fields["models"], f"{place}models")
            }
        spend = default.spend_pico_usd
        if "spend_usd" in fields:
            spend = self._spend(fields["spend_usd"], f"{place}spend_usd")
        return Allowance(tier, models, spend)

    def _limits(self, given: Any, place: str) -> Limits:
        limits = {
            name: self._limit(value, f"{place}.{name}") for name, value in self._fields(given, place, _LIMITS)
        }
        return Limits(**limits)

    def _limit(self, value: Any, place: str) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_LIMIT:
            return int(value)
        self._faults.append(f"{place}: must be a whole number, 0 or more, not {value!r}")
        return None

    def _spend(self, value: Any, place: str) -> int | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if is_number and 0 <= value <= _MAX_LIMIT:
            return round(float(value) * _PICO)
        self._faults.append(f"{place}: must be an amount of US dollars, 0 or more, not {value!r}")
        return None

    def _keys(self, value: Any, place: str) -> Iterator[str]:
        if isinstance(value, list) and all(isinstance(key, str) and key for key in value):
            return iter(value)
        self._faults.append(f"{place}: must be a list of API keys")
        return iter(())

    def _fields(self, value: Any, place: str, known: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
        """Yield the fields of a mapping whose names are text and, if `known` says which, known."""
        if not isinstance(value, dict):
            self._faults.append(f"{place or 'the document'}: must be a mapping")
            return
        for name, inner in value.items():
            if not isinstance(name, str) or (known and name not in known):
                admissible = f"known are {', '.join(known)}" if known else "must be a text"
                self._faults.append(f"{place + '.' if place else ''}{name}: unknown name; {admissible}")
            else:
                yield name, inner
