"""Which node of a Redis Cluster has which slot: pure, made from answers of the cluster.

Redis Cluster Specification, "Key distribution model" and "MOVED redirection".
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, TypeAlias

from redis.crc import key_slot

Key: TypeAlias = bytes | str


class SlotMap:
    """The masters and their slots as one node told them, corrected by redirections since."""

    def __init__(self, ranges: Sequence[tuple[int, int, str]]) -> None:
        ordered = sorted(ranges)
        self._starts = [first for first, _, _ in ordered]
        self._ends = [last for _, last, _ in ordered]
        self._owners = [address for _, _, address in ordered]
        self._moved: dict[int, str] = {}

    def __repr__(self) -> str:
        return f"<SlotMap of {len(self._owners)} ranges, {len(self._moved)} slots moved since>"

    @property
    def masters(self) -> frozenset[str]:
        """The addresses of all that have slots."""
        return frozenset(self._owners) | frozenset(self._moved.values())

    def owner(self, slot: int) -> str | None:
        """The address of the master of a slot; None when nobody serves it."""
        if moved := self._moved.get(slot):
            return moved
        index = bisect_right(self._starts, slot) - 1
        return self._owners[index] if index >= 0 and slot <= self._ends[index] else None

    def correct(self, slot: int, address: str) -> None:
        """Note that a slot has gone to another master."""
        self._moved[slot] = address


def slot_of(keys: Sequence[Key]) -> int:
    """The one slot of all these keys, 0 without any. Raises ValueError when they have several."""
    slots = {key_slot(key.encode() if isinstance(key, str) else key) for key in keys} or {0}
    if len(slots) > 1:
        raise ValueError("the keys of one command must be in one slot: give them the same {hash tag}")
    return slots.pop()


def slot_map(answer: Sequence[Any], asked: str) -> SlotMap:
    """The map in an answer to CLUSTER SLOTS; a node that does not know its own host has that of `asked`."""
    own_host = asked.rpartition(":")[0]
    ranges = []
    for first, last, (host, port, *_), *_ in answer:
        name = host.decode() if host and host != b"?" else ""
        ranges.append((int(first), int(last), f"{_bracketed(name) or own_host}:{port}"))
    return SlotMap(ranges)


def redirection(host: str, port: int, asked: str) -> str:
    """The address in a MOVED or ASK of the node `asked`; an empty host is its own."""
    return f"{_bracketed(host) or asked.rpartition(':')[0]}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
