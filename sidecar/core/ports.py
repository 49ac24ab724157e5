"""The ports: what the pipeline needs from stages that do I/O or keep state.

Each is a Protocol of one to three methods. The implementations live in the package of the stage and are
chosen in `app`; the contract stated here is what the tests in `tests/contract` ask of every one of them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from sidecar.core.audit import AuditRecord
from sidecar.core.bulletin import Snapshot
from sidecar.core.cached import Bypass
from sidecar.core.call import Arrival, Call
from sidecar.core.errors import SidecarError
from sidecar.core.evidence import Evidence
from sidecar.core.levels import LimitsMode, LimitsReading
from sidecar.core.outcome import AttemptRecord, Outcome, Reply, Usage
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Policy
from sidecar.core.principal import Principal
from sidecar.core.quota import Charge

if TYPE_CHECKING:  # an Attempt carries a Grant, which is a port
    from sidecar.core.attempt import Attempt


class Identity(Protocol):
    """Tells who calls, by what the callers of one listener can be believed."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The metadata keys that it wants as evidence, in lower case."""
        ...

    async def identify(self, evidence: Evidence, policy: Policy) -> Principal:
        """The proven caller. Raises Unauthenticated when nothing proves one, PermissionDenied when its token
        is good for too little, IdentityUnavailable when that cannot be found out now.
        """
        ...


class Audit(Protocol):
    """Writes down what somebody may have to account for. Must neither block nor raise."""

    def record(self, record: AuditRecord) -> None:
        """Have a record written down. It may be lost; then those who read can tell that one is."""
        ...


class Cache(Protocol):
    """Answers a call without asking upstream, where it may."""

    async def look_up(self, call: Call, permit: Permit) -> Bypass:
        """How the cache stands to this call. Never refuses: a broken cache is a Bypass."""
        ...


class Hold(Protocol):
    """A caller's own budgets, reserved once per call, and the right to reserve quota on their strength."""

    async def reserve(self, candidates: Sequence[Candidate]) -> "Grant":
        """Reserve at one of the candidates, best first. Raises SidecarError when none has room before the
        deadline.

        Candidates of one step and level follow each other. Whoever of the best has room at once is taken;
        else the call stands in line there alone, and at the next as well after the Policy's
        `pools.spill_after_s`, its even part of the time that is left if that is less, or as soon as no line
        that it stands in may move in time.
        """
        ...

    def try_reserve(self, candidates: Sequence[Candidate]) -> "Grant | None":
        """Reserve at the first candidate, of whatever level, where room is at hand that nobody waits for;
        None when there is none. Never waits and asks nobody: for requests that may as well not be made.
        """
        ...

    def settle(self, charge: Charge) -> None:
        """Correct the reservation to what the attempts cost together. Idempotent; synchronous, so no
        cancellation can interrupt it.
        """
        ...


class Grant(Protocol):
    """The right to make one request to one candidate. Three moments: reserved, sent, settled."""

    @property
    def candidate(self) -> Candidate:
        """Where the request may go."""
        ...

    @property
    def mode(self) -> LimitsMode:
        """How the limits were kept, when it was given, that the call is charged to; the worst of them."""
        ...

    @property
    def is_sent(self) -> bool:
        """Whether the request may have reached the upstream."""
        ...

    def sent(self) -> None:
        """Book the grant as used from now on: the headers are about to leave on an open connection.

        Raises GrantLapsed when it is held no more; the request must then not leave.
        """
        ...

    def settle(self, failure: BaseException | None, usage: Usage | None, chunks: int) -> Charge:
        """Correct the booking by how the attempt ended: its failure, the last usage seen and the chunks that
        went to the caller. Never sent is a full return. Returns what it cost. Idempotent and synchronous.
        """
        ...


class Limits(Protocol):
    """Reserves before anything is spent."""

    async def hold(self, call: Call, permit: Permit) -> Hold:
        """Reserve in the caller's own budgets. Raises SidecarError when they are spent."""
        ...

    def headroom(self, call: Call, candidate: Candidate) -> float:
        """How much room the quota of a candidate has for calls like this one: from 0.0, closed, paused or
        spent as far as this sidecar knows, to 1.0, unmetered or untouched. Reserves nothing, asks nobody,
        never raises; takes a microsecond or two, so that it can be asked about every candidate of every call.
        """
        ...

    def spent(self, call: Call, principal: Principal) -> float:
        """The share used up of the scarcest spend limit among the budgets that cover a call, as far as this
        sidecar knows: from 0.0, nothing or no such limit, to 1.0, all of it. Asks nobody.
        """
        ...


class Pool(Protocol):
    """Knows how the endpoints of a model are: whom to ask, and whether to ask again.

    Synchronous throughout: it tells what to do and how long to wait, and waits for nothing itself. `tried`
    are the call's attempts so far, in order; it may name one that runs while a hedge is looked for.
    """

    def rank(self, call: Call, permit: Permit, tried: Sequence[AttemptRecord] = ()) -> tuple[Candidate, ...]:
        """The permitted candidates that may be asked now, best first, never none.

        Those that this call has tried come last. Raises UpstreamUnavailable when all are to be left alone for
        a time, Overloaded when all have as many attempts open as the Policy allows; `retry_after_s` tells
        when the first may be asked again.
        """
        ...

    def has_room(self, candidate: Candidate) -> bool:
        """Whether one attempt more may be open there. `rank` leaves out who has none; ask again when time has
        passed since: who stood in line finds that others have begun.
        """
        ...

    def began(self, attempt: "Attempt") -> "Trip":
        """An attempt begins: whoever gets the Trip ends it."""
        ...

    def retry(
        self, error: SidecarError, call: Call, permit: Permit, tried: Sequence[AttemptRecord]
    ) -> float | None:
        """For how many seconds to wait before another attempt may follow `error`, which ended the last of
        `tried`; then `rank` again. None: that was the last, and `error` is the caller's.

        An answer that is not None takes from the retry budget: ask once for each failed attempt, and never
        after the commit point.
        """
        ...

    def hedge_after(self, attempt: "Attempt", tried: Sequence[AttemptRecord] = ()) -> float | None:
        """For how many seconds of silence an attempt, which follows `tried`, is waited for alone. None: it is
        not hedged; so is one after which the call may make no other.
        """
        ...

    def take_hedge(self, attempt: "Attempt") -> bool:
        """Whether a second attempt may join a silent one. True takes from the retry budget, so ask last."""
        ...


class Trip(Protocol):
    """What the pool is told of one attempt. Synchronous, so that no cancellation can interrupt it."""

    def first_content(self) -> None:
        """Content has come: the first part of a streamed answer, or a whole one. Idempotent."""
        ...

    def ended(self, failure: BaseException | None) -> None:
        """The attempt is over. Idempotent: only the first end counts.

        A cancellation is nobody's fault: a caller who went away or the loser of a hedge, and counts neither
        as success nor as failure.
        """
        ...


class PoolObserver(Protocol):
    """Told of what a Pool decides; `project` and `model` are where it was asked. Must neither block nor
    raise.
    """

    def breaker(self, project: str, model: str, is_open: bool) -> None:
        """It is left alone from now on, or asked again; told as asked, too, when it has answered first."""
        ...

    def retried(self, project: str, model: str, reason: str) -> None:
        """An attempt failed for this reason and is to be followed by another, there or elsewhere."""
        ...

    def refused(self, project: str, model: str) -> None:
        """An attempt is followed by no other, though it might, because the retry budget is spent."""
        ...

    def hedged(self, project: str, model: str) -> None:
        """An attempt is silent, and another joins it."""
        ...


class Transport(Protocol):
    """Puts one attempt on the wire. No hidden retries: one call is at most one upstream request.

    Both methods call `attempt.grant.sent()` when the request's headers leave on an open connection, and not
    otherwise. Both raise UpstreamError, or ReplyTooLarge. Cancelling either closes the upstream connection at
    once.
    """

    async def send(self, attempt: "Attempt") -> Reply:
        """Ask and return the whole answer."""
        ...

    def stream(self, attempt: "Attempt") -> AbstractAsyncContextManager[AsyncIterator[Reply]]:
        """Ask on entry; iterate chunks; leaving closes the connection.

        The iteration ends normally only when the stream was complete: every candidate finished with a reason,
        or the prompt was blocked. Everything else raises.
        """
        ...


class Observer(Protocol):
    """Told of the end of every call. Must neither block nor raise."""

    def arrived(self, arrival: Arrival) -> None:
        """A call has come in."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """A call has ended; told exactly once per arrival, also on error and cancellation."""
        ...


class Bulletin(Protocol):
    """Tells all sidecars of a fleet what they must know within a second: cooldowns, cache generations, live
    peers, sanctions.
    """

    def put(self, kind: str, key: str, value: str, until: float) -> None:
        """Let a notice hold until a time of the event loop's clock, unless one with a later deadline does.

        Synchronous, so no cancellation can interrupt it: the notice is in the next snapshot here at once, and
        with the others within a second of the store being reachable. Raises ValueError for what is no notice:
        a kind that is not a word in lower case, an empty key, a key or value that is too long.
        """
        ...

    def watch(self, kind: str) -> Snapshot:
        """What is known of a kind now. The first call begins to watch it; each is a look-up and no more."""
        ...

    async def changed(self, kind: str, seen: Snapshot) -> Snapshot:
        """Wait for other notices than those seen. That a notice ends is none: its deadline tells."""
        ...


class LimitsView(Protocol):
    """Shows where limits stand, to those who watch."""

    @property
    def mode(self) -> LimitsMode:
        """How limits are kept now, at the group where that is worst."""
        ...

    async def reading(self) -> LimitsReading:
        """All that is known of the groups that calls have used. Cheap; lets calls go first."""
        ...


class LedgerObserver(Protocol):
    """Told of every exchange with a ledger that came to an end. Must neither block nor raise."""

    def answered(self, duration_s: float, relearned: int, stepped_ms: int) -> None:
        """The ledger answered: how many units it had to be taught again, and how far it found its clock to
        have jumped.
        """
        ...

    def failed(self, duration_s: float) -> None:
        """It did not, or not in time."""
        ...
