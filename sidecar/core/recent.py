"""A bounded memory: what was used last."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[KeyT, Value]):
    """At most `size_max` values by key; the one used longest ago makes room."""

    def __init__(self, size_max: int) -> None:
        self._values: OrderedDict[KeyT, Value] = OrderedDict()
        self._size_max = size_max

    def __repr__(self) -> str:
        return f"<Recent {len(self)} of at most {self._size_max}>"

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[tuple[KeyT, Value]]:
        return iter(self._values.items())

    def get(self, key: KeyT) -> Value | None:
        """The value of a key, which counts as a use; None when there is none."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: KeyT, value: Value) -> None:
        """Keep a value."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._size_max:
            self._values.popitem(last=False)

    def at(self, key: KeyT, make: Callable[[], Value]) -> Value:
        """The value of a key, made and kept when there is none."""
        value = self.get(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value
