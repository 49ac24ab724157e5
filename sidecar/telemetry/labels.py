"""How labels stay few and cheap.

A label value chosen by a caller would let that caller fill the memory of the sidecar and of every Prometheus
behind it, so model names pass through `ModelLabels`. `Children` keeps the children of a metric by a key in
the project's own words: recording is a dict lookup, and the spelling of labels is worked out once per label
set.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sidecar.core.errors import Reason

OTHER = "other"
MAX_MODELS = 100
"""Distinct model names kept; a fleet asks for a handful, aliases and versions included."""
MAX_MODEL_LENGTH = 128
"""Characters; room for the resource name of a tuned model."""

K = TypeVar("K")
M = TypeVar("M")
Child = TypeVar("Child", covariant=True)


class Family(Protocol[Child]):
    """A metric with labels."""

    def labels(self, *values: Any) -> Child:
        """Its child under these label values."""
        ...


class Children(dict[K, M]):
    """The children of one metric by key, each made on first use.

    `family.labels()` checks and locks on every call and costs more than the observation itself; a kept child
    costs one lookup. Children are never dropped, so the keys must come from bounded sets.
    """

    def __init__(self, family: Family[M], labels_of: Callable[[K], tuple[str, ...]]) -> None:
        super().__init__()
        self._family = family
        self._labels_of = labels_of

    def __missing__(self, key: K) -> M:
        child = self[key] = self._family.labels(*self._labels_of(key))
        return child


class ModelLabels:
    """Bounds the model names that become label values; the rest are `other`.

    A name earns its place with its first attempt that the upstream did not answer with "no such model", so
    misspelt names cannot use the places up. The first `limit` names keep theirs until the process ends,
    because a series must not change its name.
    """

    def __init__(self, limit: int = MAX_MODELS) -> None:
        self._limit = limit
        self._names: set[str] = set()

    def __repr__(self) -> str:
        return f"<ModelLabels {len(self._names)} of {self._limit} names>"

    def label(self, model: str, ended: str) -> str:
        """The label value for a model of which an attempt ended so."""
        if model in self._names:
            return model
        if ended == Reason.UPSTREAM_NOT_FOUND or len(self._names) >= self._limit:
            return OTHER
        if not 0 < len(model) <= MAX_MODEL_LENGTH:
            return OTHER
        self._names.add(model)
        return model
