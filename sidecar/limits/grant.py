"""The Grants and Holds that a limiter gives: what was taken where, and how it is settled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sidecar.core.cost import Price
from sidecar.core.errors import GrantLapsed, UpstreamQuota
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import Usage
from sidecar.core.permit import Candidate
from sidecar.core.quota import NOTHING, Charge, Share
from sidecar.limits.estimate import Estimate, Estimator, Key
from sidecar.limits.feedback import penalties
from sidecar.limits.group import Group
from sidecar.limits.settlement import OutcomeClass, classify, settled


class Taken(NamedTuple):
    """Units of one group that a call holds."""

    group: Group
    share: Share
    amounts: Sequence[int]
    source: int
    """As `Holder.take` returns it."""

    def use(self, now: float) -> bool:
        """They are used from now on; False when they are ours no more."""
        return self.group.holder.use(self.amounts, self.source, now)

    def book(self, now: float) -> None:
        """They are used from now on, even if the lease has just ended and they count twice for a while."""
        if not self.use(now):
            self.put_back()
            self.group.holder.lease.book_unheld(self.amounts, now)

    def put_back(self) -> None:
        """They are not needed."""
        self.group.holder.put_back(self.share, self.amounts, self.source)
        self.group.touch()

    def settle(self, charge: Charge, used_at: float, now: float) -> None:
        """This is what the call cost."""
        self.group.holder.settle(self.share, self.amounts, self.group.amounts(charge), used_at, now)
        self.group.touch()


@dataclass(frozen=True, slots=True)
class Costing:
    """How the bill of one attempt is made."""

    key: Key
    price: Price
    estimate: Estimate
    estimator: Estimator

    def settled(self, outcome: OutcomeClass, usage: Usage | None) -> Charge:
        """What the attempt cost, and what is learned from it."""
        if outcome is OutcomeClass.ANSWERED and usage is not None:
            self.estimator.observe(self.key, self.estimate, usage)
        return settled(self.estimate.charge, outcome, usage, self.price)


class FreeGrant:
    """The right to make one request that nobody counts; see `core.ports.Grant`."""

    __slots__ = ("candidate", "is_sent", "mode")

    def __init__(self, candidate: Candidate) -> None:
        self.mode = LimitsMode.UNUSED
        self.candidate = candidate
        self.is_sent = False

    def __repr__(self) -> str:
        return f"<Grant at {self.candidate.endpoint.project}, {'sent' if self.is_sent else 'free'}>"

    def sent(self) -> None:
        """Note that the request leaves. Never raises."""
        self.is_sent = True

    def settle(self, failure: BaseException | None, usage: Usage | None, chunks: int) -> Charge:
        """It costs nothing."""
        return NOTHING


class MeteredGrant:
    """The right to make one request to `candidate`; see `core.ports.Grant`. Where the Policy has a quota, it
    stands on the units that were `taken` from it; `mode` is how the limits were kept then.
    """

    def __init__(
        self,
        candidate: Candidate,
        costing: Costing,
        clock: Callable[[], float],
        mode: LimitsMode,
        taken: Taken | None = None,
    ) -> None:
        self.candidate = candidate
        self.is_sent = False
        self.mode = mode
        self._costing = costing
        self._taken = taken
        self._clock = clock
        self._used_at = 0.0
        self._settled: Charge | None = None

    def __repr__(self) -> str:
        state = "settled" if self._settled is not None else "sent" if self.is_sent else "reserved"
        return f"<Grant at {self.candidate.endpoint.project}, {state}>"

    def sent(self) -> None:
        """Book it as used. Raises GrantLapsed when the lease that it was taken from has ended."""
        self._used_at = self._clock()
        if self._taken is not None and not self._taken.use(self._used_at):
            raise GrantLapsed("the lease ran out before the request could leave")
        self.is_sent = True

    def settle(self, failure: BaseException | None, usage: Usage | None, chunks: int) -> Charge:
        """Correct the booking by how the attempt ended. Returns what it cost; idempotent."""
        if self._settled is None:
            self._settled = self._settle(failure, usage, chunks)
        return self._settled

    def _settle(self, failure: BaseException | None, usage: Usage | None, chunks: int) -> Charge:
        if not self.is_sent:
            if self._taken is not None:
                self._taken.put_back()
            return NOTHING
        charge = self._costing.settled(classify(True, failure, chunks, usage), usage)
        if self._taken is not None:
            self._taken.settle(charge, self._used_at, self._clock())
            if isinstance(failure, UpstreamQuota):
                group = self._taken.group
                group.penalize(penalties(failure, group.definition.limits))
        return charge
