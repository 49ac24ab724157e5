"""A clock that runs evenly although the server's may jump. Pure.

The server's clock is all that the sidecars of a fleet share, and it can be set while they run. Followed back,
time would stand still; followed ahead, windows would seem to have passed. Steps are therefore found and not
followed.
"""

_STEP_SLACK_MS = 100
"""A message may travel so long without looking like a clock that has jumped. A smaller step is followed: the
slack of the window covers it, and what a request may take to arrive as well.
"""


class EvenClock:
    """The time of one ledger, in milliseconds: the server's when it began, and even since."""

    def __init__(self, wall: int) -> None:
        self.now = wall
        self._offset = 0

    def __repr__(self) -> str:
        return f"<EvenClock at {self.now}, {self._offset} ms off the server's>"

    def advance(self, wall: int, last: int | None, elapsed_ms: int) -> int:
        """Time has come to what the server's clock calls `wall`. Returns how far that clock jumped.

        It jumped back if time would. It jumped ahead if a holder that was last heard at `last` (None: never)
        says that less has passed since then on its own clock, `elapsed_ms` (negative: it cannot say), and
        nobody was heard in between.
        """
        now = wall + self._offset
        stepped = min(0, now - self.now)
        if stepped == 0 and last is not None and elapsed_ms >= 0:
            ahead = min(now - last - elapsed_ms, now - self.now)
            stepped = ahead if ahead > _STEP_SLACK_MS else 0
        self._offset -= stepped
        self.now = now - stepped
        return stepped
