"""How the limits of a group are kept at a moment. Pure."""

from sidecar.core.levels import LimitsMode
from sidecar.core.quota import OnLoss
from sidecar.limits.group import Group
from sidecar.limits.holder import LEASE_MS
from sidecar.limits.licence import LICENCE_MS


def mode_of(group: Group, now: float) -> LimitsMode:
    """The mode of a group at `now`, on the clock of its reports in milliseconds."""
    holder = group.holder
    if not holder.failures:
        if holder.answered_at is None:
            return LimitsMode.UNUSED
        return LimitsMode.LEARNING if now < group.learning_until else LimitsMode.NORMAL
    if holder.lease.is_live(now) or not holder.is_cut_off:
        return LimitsMode.LEASE
    return _without_ledger(group, now)


def _without_ledger(group: Group, now: float) -> LimitsMode:
    """What is left when the lease is over: what the Policy says, as long as the licence lasts. Who signed off
    has none, for nothing was set aside for it.
    """
    binding = {limit.on_loss for limit in group.definition.limits if not limit.is_shadow}
    if binding <= {OnLoss.OPEN}:
        return LimitsMode.OPEN
    heard_at = group.holder.answered_at
    if heard_at is None or group.has_signed_off or now >= heard_at + LEASE_MS + LICENCE_MS:
        return LimitsMode.CLOSED
    return LimitsMode.CLOSED if OnLoss.CLOSED in binding else LimitsMode.SHARE
