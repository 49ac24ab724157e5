"""The most that all quotas of a Policy file can give together, so that a budget above it is seen to be idle.

There is a ceiling of a limit only when no call can go around it: unlisted models are denied, and whatever
project, tier and listed model a call may be served with is under a quota that sets this limit and always
holds it. A shadow refuses nothing, and a limit that opens without Redis holds only while there is Redis.
Pure and over the raw tree, for the reason that `policy_checks` gives.
"""

from collections.abc import Mapping, Set
from itertools import product
from typing import get_args

from sidecar.config.amounts import parse_count, parse_money
from sidecar.config.document import TreePath
from sidecar.config.faults import Unacceptable
from sidecar.config.policy_outline import Outline
from sidecar.config.quota_checks import quota_keys
from sidecar.config.quota_schema import LIMITS, QUOTA_LIMITS, Tier
from sidecar.config.validation import Raw
from sidecar.core.policy import QuotaKey
from sidecar.core.quota import Unit


def ceilings(raw: Raw, known: Outline) -> Mapping[str, int]:
    """The ceilings that there are, by the limit's name."""
    entries = _entries_of_all_calls(raw, known)
    most: dict[str, int] = {}
    for name in QUOTA_LIMITS:
        amounts = [_held(raw, entry, name) for entry in entries]
        if amounts and all(amounts):
            most[name] = sum(amounts)
    return most


def amount_at(raw: Raw, path: TreePath) -> int | None:
    """The amount of the limit that a path leads to; None where there is none, or a bad one."""
    unit, _ = LIMITS[str(path[-1])]
    try:
        return parse_money(raw.at(path)) if unit is Unit.MONEY else parse_count(raw.at(path))
    except Unacceptable:
        return None


def _entries_of_all_calls(raw: Raw, known: Outline) -> Set[TreePath]:
    """The quotas that calls are counted in; empty when some calls are in none."""
    if not known.denies_unlisted:
        return set()
    by_key: dict[QuotaKey, TreePath] = {}
    for entry in raw.below(("quotas",)):
        by_key.update((key, entry) for key, _ in quota_keys(raw, entry))
    entries: set[TreePath] = set()
    for model, projects in known.routes.items():
        for project, tier in product(projects, get_args(Tier)):
            metering = by_key.get((project, model, tier)) or by_key.get((project, model, ""))
            if metering is None:
                return set()
            entries.add(metering)
    return entries


def _held(raw: Raw, entry: TreePath, name: str) -> int:
    """What an entry always holds a limit to; 0, which no limit may be, when it does not."""
    is_shadow = any(shadow == name for _, shadow in raw.texts(raw.below((*entry, "shadow"))))
    if is_shadow or raw.at((*entry, "on_redis_loss", name)) == "open":
        return 0
    return amount_at(raw, (*entry, name)) or 0
