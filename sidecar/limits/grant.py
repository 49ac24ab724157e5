"""The Grants and Holds that a limiter gives: what was taken where, and how it is settled."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.core.call import Call
from sidecar.core.errors import GrantLapsed, UpstreamQuota
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import Usage
from sidecar.core.permit import Candidate
from sidecar.core.quota import NOTHING, Charge, Share
from sidecar.limits.cooldowns import Cooldowns
from sidecar.limits.estimate import Estimate
from sidecar.limits.group import Group
from sidecar.limits.means import Means
from sidecar.limits.settlement import OutcomeClass, classify, settled


@dataclass(slots=True)
class Taken:
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
            self.put_back(now)
            self.group.holder.lease.book_unheld(self.amounts, now)

    def put_back(self, now: float) -> None:
        """They are not needed."""
        self.group.holder.put_back(self.share, self.amounts, self.source, now)
        self.group.touch()

    def settle(self, charge: Charge, used_at: float, now: float) -> None:
        """This is what the call cost."""
        self.group.holder.settle(self.share, self.amounts, self.group.amounts(charge), used_at, now)
        self.group.touch()


class FreeGrant:
    """The right to make one request that nobody counts; see `core.ports.Grant`. Without `cooldowns` it
    neither heeds that its place is closed nor closes it.
    """

    __slots__ = ("_call", "_cooldowns", "candidate", "is_sent", "mode")

    def __init__(self, candidate: Candidate, call: Call, cooldowns: Cooldowns | None) -> None:
        self.mode = LimitsMode.UNUSED
        self.candidate = candidate
        self.is_sent = False
        self._call = call
        self._cooldowns = cooldowns

    def __repr__(self) -> str:
        return f"<Grant at {self.candidate.endpoint.project}, {'sent' if self.is_sent else 'free'}>"

    def sent(self) -> None:
        """Note that the request leaves. Raises GrantLapsed when its place has been closed meanwhile."""
        if self._cooldowns and self._cooldowns.opens_in_ms(self.candidate, self._call):
            raise GrantLapsed("the upstream has asked to be left alone for a while")
        self.is_sent = True

    def settle(self, failure: BaseException | None, usage: Usage | None, chunks: int) -> Charge:
        """It costs nothing."""
        if self._cooldowns is not None and isinstance(failure, UpstreamQuota):
            self._cooldowns.refused_unmetered(self.candidate, self._call, failure)
        return NOTHING


class MeteredGrant:
    """The right to make one request to `candidate`; see `core.ports.Grant`. Where the Policy has a quota, it
    stands on the units that were `taken` from it; `mode` is how the limits were kept then.
    """

    __slots__ = ("_estimate", "_means", "_settled", "_taken", "_used_at", "candidate", "is_sent", "mode")

    def __init__(
        self,
        means: Means,
        candidate: Candidate,
        estimate: Estimate,
        mode: LimitsMode,
        taken: Taken | None = None,
    ) -> None:
        self.candidate = candidate
        self.is_sent = False
        self.mode = mode
        self._means = means
        self._estimate = estimate
        self._taken = taken
        self._used_at = 0.0
        self._settled: Charge | None = None

    def __repr__(self) -> str:
        state = "settled" if self._settled is not None else "sent" if self.is_sent else "reserved"
        return f"<Grant at {self.candidate.endpoint.project}, {state}>"

    def sent(self) -> None:
        """Book it as used. Raises GrantLapsed when the lease that it was taken from has ended, or its place
        has been closed.
        """
        self._used_at = self._means.clocks.now_ms()
        if self._taken is not None:
            is_usable = self._taken.use(self._used_at)
        else:
            cooldowns = self._means.cooldowns
            is_usable = not (cooldowns and cooldowns.opens_in_ms(self.candidate, self._estimate.call))
        if not is_usable:
            raise GrantLapsed("the lease ran out, or the upstream was closed, before the request could leave")
        self.is_sent = True

    def settle(self, failure: BaseException | None, usage: Usage | None, chunks: int) -> Charge:
        """Correct the booking by how the attempt ended. Returns what it cost; idempotent."""
        if self._settled is not None:
            return self._settled
        estimate = self._estimate
        outcome = classify(self.is_sent, failure, chunks, usage)
        if outcome is OutcomeClass.ANSWERED and usage is not None:
            self._means.estimator.observe(estimate, usage)
        charge = self._settled = settled(estimate.charge, outcome, usage, estimate.price)
        if self._taken is not None:
            now = self._means.clocks.now_ms()
            if self.is_sent:
                self._taken.settle(charge, self._used_at, now)
            else:
                self._taken.put_back(now)
        if self.is_sent and isinstance(failure, UpstreamQuota):
            self._refused(failure)
        return charge

    def _refused(self, refusal: UpstreamQuota) -> None:
        cooldowns = self._means.cooldowns
        if self._taken is None:
            cooldowns.refused_unmetered(self.candidate, self._estimate.call, refusal)
        else:
            self._taken.group.refused(refusal)
            cooldowns.refused(self._taken.group.definition.name, refusal)
