"""What the ledger refused for lack of room, by limit: told to those who wait and to those who look. Pure."""

from sidecar.limits.message import NOBODY, Answer


class Denials:
    """Counts of one group's limits."""

    __slots__ = ("counts", "last", "shadow_counts")

    def __init__(self, limits: int) -> None:
        self.last = NOBODY
        """What last refused, as `Answer.denied`."""
        self.counts = [0] * limits
        self.shadow_counts = [0] * limits
        """What shadows would have refused."""

    def __repr__(self) -> str:
        return f"<Denials {self.counts}, {self.shadow_counts} by shadows>"

    def note(self, answer: Answer) -> None:
        """The ledger answered."""
        if answer.denied != NOBODY:
            self.last = answer.denied
        if answer.denied >= 0:
            self.counts[answer.denied] += 1
        for number in answer.shadow_denied:
            self.shadow_counts[number] += 1
