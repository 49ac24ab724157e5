"""What the upstream refused and the ledger has not heard yet. Pure."""

from collections.abc import Sequence

from sidecar.limits.message import Penalty, Terms


class Refusals:
    """One penalty for each limit, the worst: however many come while the ledger is away."""

    def __init__(self) -> None:
        self._penalties: dict[int, Penalty] = {}

    def __repr__(self) -> str:
        return f"<Refusals {list(self._penalties.values())}>"

    def __len__(self) -> int:
        return len(self._penalties)

    def add(self, penalty: Penalty) -> None:
        """The upstream refused."""
        known = self._penalties.get(penalty.limit)
        self._penalties[penalty.limit] = known.merged(penalty) if known else penalty

    @property
    def is_zero_owed(self) -> bool:
        """Whether of some limit the upstream grants nothing at all."""
        return any(penalty.value == 0 for penalty in self._penalties.values())

    def drop_past(self, before: Sequence[Terms], terms: Sequence[Terms]) -> None:
        """Calendar periods have ended: what was refused in them is of no use any more."""
        for number, (old, new) in enumerate(zip(before, terms, strict=True)):
            if old.calendar != new.calendar:
                self._penalties.pop(number, None)

    def all(self) -> list[Penalty]:
        """What to tell."""
        return list(self._penalties.values())

    def told(self, penalties: Sequence[Penalty]) -> None:
        """The ledger has heard these; what has got worse since is still to be told."""
        for penalty in penalties:
            if self._penalties.get(penalty.limit) is penalty:
                del self._penalties[penalty.limit]
