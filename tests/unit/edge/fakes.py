"""What a handler may ask of grpc, without grpc."""

from collections.abc import Iterable
from typing import Any, NoReturn

import grpc

from sidecar.core.ports import Audit
from sidecar.edge.doors import Door
from sidecar.edge.guard import Guard
from sidecar.identity.audit import NoAudit
from sidecar.identity.bearer import Unverifiable, Verifier
from sidecar.identity.local import LocalIdentity
from tests.support import facts


class Aborted(Exception):
    """How grpc leaves a handler whose call was aborted."""


class FakeContext:
    """A ServicerContext that remembers what it was told."""

    def __init__(self, remaining_s: float | None = None, **metadata: str | bytes) -> None:
        self.remaining_s = remaining_s
        self.metadata = tuple((key.replace("_", "-"), value) for key, value in metadata.items())
        self.written: list[Any] = []
        self.aborted: tuple[grpc.StatusCode, str] | None = None
        self.trailers: dict[str, str | bytes] = {}

    def time_remaining(self) -> float | None:
        return self.remaining_s

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...] | None:
        return self.metadata or None

    async def write(self, message: Any) -> None:
        self.written.append(message)

    def set_trailing_metadata(self, trailers: Iterable[tuple[str, str | bytes]]) -> None:
        self.trailers = dict(trailers)

    async def abort(
        self, code: grpc.StatusCode, details: str, trailers: Iterable[tuple[str, str | bytes]] = ()
    ) -> NoReturn:
        self.aborted = (code, details)
        self.trailers = dict(trailers)
        raise Aborted


def guard(
    verifier: Verifier | None = None,
    audit: Audit | None = None,
    *,
    name: str = "local",
    is_local: bool = True,
) -> Guard:
    """A guard of a door where everybody is the pod."""
    door = Door(name, LocalIdentity("pod", verifier or Unverifiable()), is_local=is_local)
    return Guard(door, "sidecar.admin", facts.policy, audit or NoAudit())
