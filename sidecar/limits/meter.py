"""One limit in the ledger: what was used in its window, what is held, and what may still be granted. Pure.

A rolling window is a row of buckets. Whatever is used is booked no earlier than it was sent, and a bucket is
kept for the window and the slack after its own end, so that at every moment the buckets cover all that the
upstream may still count (limits/ledger has the proof). What is taken back is booked one bucket early: it can
be lost a little too soon, never too late. More than was used cannot be taken back.

A calendar window is a counter that begins anew at the end of its period. Clocks differ by up to the slack, so
what is spent around the boundary counts in both periods. When the upstream says that a period is spent, it is
closed until its end.

A flight limit counts what is held. Its window is only for holders that vanished: their calls may still run,
so what they held counts as used for one window more.

The same arithmetic, line by line, is in `lua/ledger.lua`.
"""

from sidecar.core.quota import OnLoss
from sidecar.limits.message import Terms

WHOLE = 1000
"""The factor, in permille, of a limit that was not cut."""
MILLION = 1_000_000
"""The whole of a limit, in the unit of shares that are set aside."""
WAIT_MOST_MS = 1_000
"""Nobody who waits is told to wait longer: it keeps the lease alive, and requests have deadlines."""
_PACE_SURPLUS = 1.01
"""Pacing refills a little faster than the window drains, or it would be what limits. Much faster, and the
window would be full some seconds before it drains, in every window anew, and nobody served meanwhile.
"""
_PACE_FLOOR = 0.02
"""Share of the limit that may be granted at once when the window is nearly full: a burst then does not come
back as a gap one window later.
"""
_ADOPTED_MS = 600_000
_ADOPTED_ZERO_MS = 86_400_000
"""How long a limit of nothing is remembered when nobody asks any more."""
_CUT_EVERY_MS = 1_000
_IN_FLIGHT_MS = 10_000
"""So long after a limit was adopted, refusals are of requests that had left before."""
_LET_THROUGH = 0.99
"""A cut goes no lower than this part of what the upstream has just let through in a window."""
_LEAST_PERMILLE = 50
_HEAL_AFTER_MS, _HEAL_EVERY_MS, _HEAL_PERMILLE, _BINDING = 30_000, 6_000, 10, 0.9
_LATE_WORD_MS = 60_000
"""A refusal that is told so soon after a period began may be about the one before."""


class Meter:
    """The state of one limit."""

    def __init__(self, terms: Terms, now: int) -> None:
        self.terms = terms
        self.used = 0
        self.held = 0
        self.factor = WHOLE
        self.cut_at = 0
        self.heal_at = 0
        self.zero_of = 0
        """The limit when the upstream said that it grants nothing of it; 0: it did not."""
        self.claims: dict[int, int] = {}
        self.pace = float(terms.burst)
        self.paced_at = now
        self.empty_at = now
        self.buckets: dict[int, int] = {}
        self.oldest = self._cut(now) + 1
        self.newest = self.oldest - 1
        self.start, self.end = tuple(terms.calendar[:2]) if terms.calendar else (0, 0)
        self.carried = 0

    def __repr__(self) -> str:
        return f"<Meter {self.terms.name}: {self.used} used, {self.held} held of {self.limit}>"

    @property
    def limit(self) -> int:
        """The lowest amount that a live holder claims: lowering it acts at once, raising it with the last."""
        return min(self.claims, default=self.terms.amount)

    @property
    def granted_limit(self) -> int:
        """The limit as far as the upstream is known to grant it."""
        return self.limit * self.factor // WHOLE

    def claim(self, amount: int, before: int | None) -> None:
        """A holder enforces `amount`, where it enforced `before`."""
        if before is not None and before in self.claims:
            self.claims[before] -= 1
            if self.claims[before] <= 0:
                del self.claims[before]
        if amount >= 0:
            self.claims[amount] = self.claims.get(amount, 0) + 1

    def roll(self, terms: Terms, now: int, wall: int) -> None:
        """Time has come to `now` (the server's clock says `wall`): forget what left the window, refill the
        pace.
        """
        self.terms = terms
        if terms.calendar:
            self._roll_calendar(wall)
        else:
            self._roll_window(now)

    def _roll_calendar(self, wall: int) -> None:
        start, end, next_end = self.terms.calendar
        if wall < self.end + self.terms.slack_ms:
            return
        ended = self.end
        self.start, self.end = (start, end) if wall < end + self.terms.slack_ms else (end, next_end)
        self.used, self.carried = self.carried if self.start == ended else 0, 0
        self.factor = WHOLE

    def _roll_window(self, now: int) -> None:
        terms, cut = self.terms, self._cut(now)
        for bucket in [bucket for bucket in self.buckets if bucket <= cut]:
            self.used -= self.buckets.pop(bucket)
        self.oldest = max(self.oldest, cut + 1)
        self._make_whole()
        limit = self.granted_limit
        fill = (self.used + self.held) / limit if limit else 1.0
        most = max(1.0, _PACE_FLOOR * limit, min(terms.burst, 4 * terms.burst * (1 - fill)))
        if not self.used and not self.held:
            self.empty_at, self.pace = now, float(terms.burst)
        # Until what came first has left the window, the burst and what is refilled together make the limit.
        is_filling = now - self.empty_at < terms.window_ms
        portion = max(0.0, limit - terms.burst) if is_filling else limit * _PACE_SURPLUS
        rate = portion / (terms.window_ms + terms.slack_ms + terms.bucket_ms / 2)
        self.pace = min(most, self.pace + (now - self.paced_at) * rate)
        self.paced_at = now

    def _cut(self, now: int) -> int:
        """The last bucket that no window of the upstream reaches any more."""
        terms = self.terms
        if terms.calendar:
            return -1
        return (now - terms.window_ms - terms.slack_ms) // terms.bucket_ms - 1

    def is_over(self, now: int) -> bool:
        """Whether nothing is lost when it is forgotten: no live holder names it, its window has passed, and
        what the upstream taught about it is old.
        """
        if self.claims or self.held or self.used or self.carried or self.newest >= self.oldest:
            return False
        return self.factor == WHOLE or (not self.terms.calendar and now - self.heal_at >= _ADOPTED_MS)

    def recall(self, seen: int) -> None:
        """A holder saw `seen` used in this calendar period, before the ledger lost its counters."""
        if self.terms.calendar and self.terms.calendar[1] == self.end:
            self.used = max(self.used, seen)

    def book(self, amount: int, at: int, now: int, wall: int) -> None:
        """Count `amount` as used at the moment `at`."""
        if self.terms.calendar:
            self._book_calendar(amount, wall - (now - at))
            return
        bucket = min(max(at // self.terms.bucket_ms, self.oldest), now // self.terms.bucket_ms)
        self._put(bucket, amount)

    def refund(self, amount: int, at: int, now: int, wall: int) -> None:
        """Take back `amount` that was booked at the moment `at`; nothing when that has left the window."""
        if self.terms.calendar:
            at_wall = wall - (now - at) - self.terms.bucket_ms
            if at_wall >= self.start - self.terms.slack_ms:
                self._book_calendar(-amount, at_wall)
                self.used = max(0, self.used)
            return
        bucket = at // self.terms.bucket_ms - 1
        if bucket >= self.oldest:
            self._put(bucket, -amount)
            self._make_whole()
            self.pace += amount  # what was never used need not be paced either

    def _put(self, bucket: int, amount: int) -> None:
        self.buckets[bucket] = self.buckets.get(bucket, 0) + amount
        self.newest = max(self.newest, bucket)
        self.used += amount

    def _make_whole(self) -> None:
        """Book again what was taken back of more than there is; it leaves the window like all the rest."""
        if self.used < 0:
            self._put(self.oldest, -self.used)

    def _book_calendar(self, amount: int, at_wall: int) -> None:
        if at_wall >= self.end - self.terms.slack_ms:
            self.carried = max(0, self.carried + amount)
        self.used += amount

    def penalize(self, permille: int, value: int, now: int, wall: int) -> None:
        """The upstream refused: close the period, or adopt the limit that it names; where it names none that
        is lower than ours, somebody else spends of it, so cut ours, once a second at most.
        """
        if self.terms.calendar:
            if (permille < WHOLE or value >= 0) and wall >= self.start + _LATE_WORD_MS:
                self.factor = 0
        elif 0 <= value < self.granted_limit:
            self.factor = value * WHOLE // self.limit
            self.cut_at = now + _IN_FLIGHT_MS
            self.heal_at = now + (_ADOPTED_MS if value else _ADOPTED_ZERO_MS)
            self.zero_of = 0 if value else self.limit
        elif permille < WHOLE and now - self.cut_at >= _CUT_EVERY_MS:
            let_through = int(_LET_THROUGH * self.used * WHOLE / max(1, self.limit))
            cut = max(_LEAST_PERMILLE, let_through, self.factor * permille // WHOLE)
            self.factor = min(self.factor, cut)
            self.cut_at, self.heal_at = now, max(self.heal_at, now + _HEAL_AFTER_MS)

    def heal(self, now: int) -> None:
        """Probe upwards, slowly, and only while the cut is what limits; what the upstream grants nothing of,
        not before the Policy has another amount for it.
        """
        if self.terms.calendar:
            return
        if self.zero_of:
            if self.limit != self.zero_of:
                self.factor, self.zero_of = WHOLE, 0
        elif self.factor < WHOLE and now >= self.heal_at and self._binds():
            self.factor = min(WHOLE, self.factor + _HEAL_PERMILLE)
            self.heal_at = now + _HEAL_EVERY_MS

    def _binds(self) -> bool:
        return self.used + self.held >= _BINDING * self.granted_limit

    def room(self, set_aside: int) -> int:
        """What the window has left when so many millionths are kept for holders that are cut off."""
        kept = set_aside if self.terms.on_loss is OnLoss.SHARE else 0
        return self.granted_limit * (MILLION - kept) // MILLION - self.used - self.held

    def paced(self, room: int) -> int:
        """What pacing lets go now; no more than a window is paced."""
        return room if self.terms.calendar or self.terms.is_flight else int(self.pace // 1)

    def wait_ms(self, head: int, holders: int, now: int) -> int:
        """When asking again is worth it for a request of `head`: holders ask at random, and so often that
        together they find one and a half times what becomes free.
        """
        terms = self.terms
        if terms.calendar:
            return WAIT_MOST_MS
        spent = self.held if terms.is_flight else self.used
        wait = 1.5 * holders * terms.window_ms * max(1, head) / max(1, spent)
        if not terms.is_flight and self.granted_limit <= self.used + self.held:
            leaves = (self.oldest + 1) * terms.bucket_ms + terms.window_ms + terms.slack_ms
            wait = max(wait, leaves - now)
        return int(min(wait, WAIT_MOST_MS))
