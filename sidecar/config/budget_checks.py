"""What budgets must be to the rest of a Policy file: each must be able to match a call, and to refuse one.

Pure and over the raw tree, for the reason that `policy_checks` gives.
"""

from collections.abc import Iterator

from sidecar.config.amounts import format_money
from sidecar.config.document import TreePath
from sidecar.config.faults import Fault
from sidecar.config.policy_outline import Outline
from sidecar.config.quota_ceilings import amount_at, ceilings
from sidecar.config.quota_checks import check_limits
from sidecar.config.quota_schema import BUDGET_LIMITS, LIMITS
from sidecar.config.validation import Raw, near
from sidecar.core.quota import Unit


def check_budgets(raw: Raw, known: Outline) -> Iterator[Fault]:
    """All budgets that no call can fall under, and all limits of theirs that can never bind."""
    entries = list(raw.below(("budgets",)))
    most = ceilings(raw, known) if entries else {}
    for entry in entries:
        yield from check_limits(raw, entry, BUDGET_LIMITS)
        yield from _tenants(raw, entry, known)
        yield from _principals(raw, entry, known)
        for name, ceiling in most.items():
            amount = amount_at(raw, (*entry, name))
            if amount is not None and amount > ceiling:
                shown = format_money(ceiling) if LIMITS[name][0] is Unit.MONEY else f"{ceiling:_}"
                reason = f"can never bind: all quotas together give {shown}"
                yield raw.fault((*entry, name), reason, "lower it to that or less, or remove it")


def _tenants(raw: Raw, entry: TreePath, known: Outline) -> Iterator[Fault]:
    for path, tenant in raw.texts(raw.below((*entry, "tenants"))):
        if tenant not in known.tenants:
            guess = near(tenant, known.tenants)
            yield raw.fault(path, "is no tenant of this file", guess or "name a listed tenant")
    for path, each in raw.texts([(*entry, "each")]):
        if each == "tenant" and raw.at((*entry, "tenants")) is None and not known.tenants:
            remedy = "list tenants, or take each: principal"
            yield raw.fault(path, "asks for a budget for each tenant, but there is no tenant", remedy)


def _principals(raw: Raw, entry: TreePath, known: Outline) -> Iterator[Fault]:
    selected = {tenant for _, tenant in raw.texts(raw.below((*entry, "tenants")))}
    if not selected or not selected <= known.tenants.keys():
        return
    members = frozenset[str]().union(*(known.tenants[tenant] for tenant in selected))
    for path, pattern in raw.texts(raw.below((*entry, "principals"))):
        if not any(_matches(pattern, principal) for principal in members):
            reason = f"can never match: belongs to no tenant of this budget ({', '.join(sorted(selected))})"
            yield raw.fault(path, reason, "add it to such a tenant, or take it off this budget")


def _matches(pattern: str, principal: str) -> bool:
    return principal.startswith(pattern[:-1]) if pattern.endswith("*") else principal == pattern
