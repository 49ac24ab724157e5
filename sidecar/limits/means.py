"""What all Holds and Grants of a limiter share."""

from dataclasses import dataclass

from sidecar.limits.cooldowns import Cooldowns
from sidecar.limits.estimate import Estimator
from sidecar.limits.group import Clocks
from sidecar.limits.groups import Groups


@dataclass(slots=True)
class Means:
    """One for each limiter."""

    groups: Groups
    cooldowns: Cooldowns
    estimator: Estimator
    clocks: Clocks
    wait_s: float
    """How long a call may stand in one line."""
    open: int = 0
    """Holds that are not settled: zero when no call runs."""
