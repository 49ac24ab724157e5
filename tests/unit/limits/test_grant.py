"""Units that a call holds, when the lease that they are from ends first."""

from typing import Any, cast

from sidecar.limits.grant import Taken
from sidecar.limits.group import Group
from tests.support.holder import ONLY, Sidecar
from tests.support.ledger import flying, rolling


class Lone:
    """The group of one holder, without a task."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.holder = sidecar.holder

    def touch(self) -> None:
        """Nobody sleeps."""


def test_what_is_booked_after_its_lease_has_ended_flies_once_and_counts() -> None:
    sidecar = Sidecar([rolling(10), flying(10)])
    waiter = sidecar.wait(3, 1)
    sidecar.exchange()
    assert waiter
    taken = Taken(cast(Group, cast(Any, Lone(sidecar))), ONLY, [3, 1], waiter.source)
    sidecar.now = 5_000
    taken.book(sidecar.now)
    assert sidecar.holder.lease.own(sidecar.now) == [3, 1]
    sidecar.holder.settle(ONLY, [3, 1], [3, 1], sidecar.now, sidecar.now)
    assert sidecar.holder.lease.own(sidecar.now) == [3, 0]
