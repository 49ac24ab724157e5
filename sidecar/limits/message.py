"""What a sidecar and the ledger of one limit group say to each other.

One exchange does everything: it reports what was spent and given back, settles, and asks for more. All
amounts are integers in the unit of their limit; all lists over limits are in the order of `Report.terms`;
times are milliseconds. Everything that is told is cumulative or numbered, so a message that is lost,
repeated or late changes nothing (limits/ledger).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain
from typing import Any, NamedTuple

import orjson

from sidecar.core.quota import OnLoss

SCALARS = (int, bytes, *[int] * 8, list)
"""What the script's reply begins with; the last are the grants."""
OF_A_LIMIT = (int,) * 6
"""What it then has of each limit."""
_NO_CALENDAR = (0, 0, 0)
"""As the script takes the terms of a limit whose window rolls."""
NOBODY, FAIR_SHARE = -1, -2
"""What refused, where it was no limit: nothing, or the turn of others."""


class Kind(IntEnum):
    """What an entry of a report does."""

    USE = 0
    """Held becomes used."""
    RETURN = 1
    """Held becomes free."""
    CORRECTION = 2
    """Used changes by a signed amount."""


class Entry(NamedTuple):
    """One change to the account, numbered by its place in the report."""

    limit: int
    """Index into `Report.terms`."""
    age_ms: int
    amount: int
    kind: Kind


class Want(NamedTuple):
    """What one class asks for, by limit."""

    share: str
    """The class of the fair queue."""
    weight: float
    need: Sequence[int]
    """For all requests that wait."""
    head: Sequence[int]
    """For the first of them: less than this is no use."""
    prefetch: Sequence[int]
    """To keep ahead of demand; given from plenty alone."""


class Penalty(NamedTuple):
    """What a 429 of the upstream says about one limit."""

    limit: int
    """Index into `Report.terms`; -1: the group as a whole."""
    permille: int
    """The limit is cut to this share of what it was; 1000: not cut."""
    pause_ms: int
    """Nothing of the group is granted for so long."""
    value: int
    """The limit that the upstream says it enforces; -1: it does not say."""

    def merged(self, other: "Penalty") -> "Penalty":
        """Both of them, as one."""
        named = [value for value in (self.value, other.value) if value >= 0]
        return Penalty(
            self.limit,
            min(self.permille, other.permille),
            max(self.pause_ms, other.pause_ms),
            min(named, default=-1),
        )


class Terms(NamedTuple):
    """One limit, as the ledger needs to know it."""

    name: str
    amount: int
    window_ms: int
    """Length of a rolling window; 0: a calendar period, bounded by `calendar`."""
    bucket_ms: int
    """Resolution of the window."""
    slack_ms: int
    """How long after it was sent a request may arrive upstream; of a calendar, how far clocks are apart."""
    burst: int
    """How much may be granted at once out of a quiet window."""
    is_flight: bool
    """Whether it counts what is held, and no window."""
    is_shadow: bool
    on_loss: OnLoss
    """What a holder that is cut off may live on; a share is set aside for it."""
    calendar: Sequence[int] = ()
    """Start and end of the period, end of the next, as Unix time in milliseconds."""


class Balance(NamedTuple):
    """What a holder was granted, has used and has given back of one limit, in all."""

    granted: int = 0
    used: int = 0
    returned: int = 0

    @property
    def held(self) -> int:
        """What it has left; never negative, whatever the holder says."""
        return max(0, self.granted - self.used - self.returned)


@dataclass(frozen=True, slots=True)
class Report:
    """Sidecar to ledger."""

    holder: str
    """This incarnation of the holder; a new one after every lapse of its lease."""
    base: str
    """The holder behind its incarnations."""
    terms: Sequence[Terms]
    known: Sequence[Balance]
    """The account as the ledger last acknowledged it."""
    seq: int
    """The number of the first entry."""
    entries: Sequence[Entry] = ()
    wants: Sequence[Want] = ()
    penalties: Sequence[Penalty] = ()
    seen: Sequence[int] = ()
    """How much of each calendar limit the holder last saw used by all, in the period of its terms; -1: of no
    use. It is what a ledger that lost its counters begins again with.
    """
    elapsed_ms: int = -1
    """On the holder's own clock, since it sent the report that was last answered; -1: none was."""
    is_leaving: bool = False
    """The holder signs off; nothing is granted."""
    lease_ms: int = 3_000
    learning_ms: int = 1_200
    """How long a ledger that may have lost something listens before it grants."""
    licence_ms: int = 300_000
    """How long a holder that is cut off lives on its share; 0: it does not."""
    share: float = 0.9
    """Of a limit, split evenly over the holders that may be cut off."""
    idle_share: float = 0.01
    """Of a limit, the most that may lie idle in leases."""
    quantum: float = 0.0005
    """Of a limit, how far one class may run ahead of another that waits."""
    fresh_ms: int = 3_000
    """For how long a class counts as waiting after it was last refused."""

    def to_json(self) -> bytes:
        """The message as the script reads it. Each list costs it time, and so does each field: what is a list
        of tuples here is one flat list there, and of what is optional only what there is is told. Classes go
        by name, for the server compares no names itself.
        """
        told = {name: getattr(self, name) for name in self.__slots__}
        told["terms"] = _flat((*terms[:-1], *(terms.calendar or _NO_CALENDAR)) for terms in self.terms)
        wants = sorted(self.wants, key=lambda want: want.share)
        told["wants"] = _flat(
            (want.share, want.weight, *want.need, *want.head, *want.prefetch) for want in wants
        )
        for name in ("known", "entries", "penalties"):
            told[name] = _flat(told[name])
        optional = ("entries", "wants", "penalties", "seen", "is_leaving")
        return orjson.dumps({name: value for name, value in told.items() if value or name not in optional})


def _flat(rows: Iterable[Iterable[Any]]) -> list[Any]:
    return list(chain.from_iterable(rows))


class Granted(NamedTuple):
    """What one class was granted now, by limit."""

    share: str
    amounts: Sequence[int]
    wait_ms: int
    """When asking again is worth it, if that was less than it needs; 0: it was not."""


class Level(NamedTuple):
    """Where one limit stands."""

    used: int
    held: int
    limit: int
    """The lowest amount that any live holder claims."""
    permille: int
    """What of it is granted, as learned from the upstream."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Ledger to sidecar."""

    is_unknown: bool
    """The ledger has no account for a holder that had one: it was reaped, or lost. Nothing was applied."""
    epoch: str
    """Another one: the ledger began anew, whatever it knew is gone."""
    granted: Sequence[int]
    """Granted to this holder in all, by limit."""
    grants: Sequence[Granted]
    blocked_ms: int
    """How long nothing at all can be granted: a pause, a spent calendar period."""
    denied: int
    """Index of the limit that refused; -1: none, -2: the fair share."""
    holders: int
    learning_ms: int
    """How long the ledger still listens."""
    levels: Sequence[Level]
    relearned: int
    """Units that the holder had to teach the ledger again."""
    seq: int
    """The number of the next entry, as the ledger has it."""
    clock_ms: int
    """The ledger's time, which runs evenly whatever the server's does."""
    stepped_ms: int = 0
    """How far the server's clock was found to have jumped, and was not followed."""
    shadow_denied: Sequence[int] = field(default_factory=tuple)
    """Indices of the shadow limits that would have refused."""

    @classmethod
    def from_resp(cls, raw: Sequence[Any], limits: int) -> "Answer":
        """The script's reply to a report of so many limits: SCALARS, among them the grants in one flat list,
        and OF_A_LIMIT for each limit.
        """
        scalars, width = raw[: len(SCALARS)], len(OF_A_LIMIT)
        unknown, epoch, blocked, denied, holders, learning, relearned, seq, clock, stepped, grants = scalars
        by_limit = [raw[at : at + width] for at in range(len(SCALARS), len(SCALARS) + width * limits, width)]
        rows = [grants[at : at + limits + 2] for at in range(0, len(grants), limits + 2)]
        return cls(
            is_unknown=unknown == 1,
            epoch=epoch.decode(),
            granted=[granted for granted, *_ in by_limit],
            grants=[Granted(share.decode(), amounts, wait) for share, *amounts, wait in rows],
            blocked_ms=blocked,
            denied=denied,
            holders=holders,
            learning_ms=learning,
            levels=[Level(*level) for _, *level, _ in by_limit],
            relearned=relearned,
            seq=seq,
            clock_ms=clock,
            stepped_ms=stepped,
            shadow_denied=[limit for limit, (*_, is_denied) in enumerate(by_limit) if is_denied],
        )
