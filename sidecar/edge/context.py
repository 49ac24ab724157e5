"""What a gRPC call tells about itself before its body is read: the Arrival."""

import asyncio
import random
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import grpc.aio

from sidecar.config.settings import DeadlineSettings
from sidecar.core.call import Arrival, Method
from sidecar.core.evidence import Evidence
from sidecar.core.secret import Secret

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

REQUEST_ID = "x-request-id"
PRIORITY = "x-priority"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}", re.ASCII)
_PRIORITY = re.compile(r"[A-Za-z0-9-]{1,63}", re.ASCII)
"""As the Policy may name one, in any case; whether it does is for the Policy to say."""
_MARGIN_SHARE = 0.1
"""Of a short deadline the margin takes at most this share, or nothing would be left to work with."""


_ids = random.Random()  # noqa: S311 - seeded by the system; ids must be unique and are no secrets


class Arrivals:
    """Makes the Arrivals of one listener. `looks_at` are the metadata keys that it takes as evidence."""

    def __init__(self, listener: str, deadline: DeadlineSettings, looks_at: Sequence[str] = ()) -> None:
        self._listener = listener
        self._deadline = deadline
        self._looks_at = looks_at

    def __repr__(self) -> str:
        return f"<Arrivals at {self._listener}>"

    def arrive(self, method: Method, context: Context) -> Arrival:
        """The Arrival of a call. Cannot fail: an unusable request id is replaced, an absent deadline has a
        default.
        """
        remaining_s: float | None = context.time_remaining()  # the stubs do not know that it may be None
        if remaining_s is None:
            remaining_s = self._deadline.default
        else:
            remaining_s -= min(self._deadline.margin, remaining_s * _MARGIN_SHARE)
        told = _told(context)
        return Arrival(
            _request_id(told),
            method,
            self._listener,
            received_at=time.perf_counter(),
            allowed_s=remaining_s,
            deadline=asyncio.get_running_loop().time() + remaining_s,
            priority=_priority(told),
            evidence=self._evidence(context, told),
        )

    def _evidence(self, context: Context, told: Mapping[str, str | bytes]) -> Evidence:
        for key in self._looks_at:
            if key in told:
                return evidence(context, self._looks_at)
        return ()  # of nearly all local callers


def evidence(context: Context, looks_at: Sequence[str]) -> Evidence:
    """What a caller shows under these keys: all of it, because a value given twice proves nothing."""
    return tuple(
        (key, Secret(value))
        for key, value in context.invocation_metadata() or ()
        if key in looks_at and isinstance(value, str)
    )


def request_id(context: Context) -> str:
    """The caller's name for a call, or one of ours where it gave none that is usable."""
    return _request_id(_told(context))


def _told(context: Context) -> dict[str, str | bytes]:
    """The metadata, of a key given twice the first."""
    return dict(tuple(context.invocation_metadata() or ())[::-1])


def _request_id(told: Mapping[str, str | bytes]) -> str:
    value = told.get(REQUEST_ID)
    if isinstance(value, str) and _REQUEST_ID.fullmatch(value):
        return value
    return f"{_ids.getrandbits(128):032x}"


def _priority(told: Mapping[str, str | bytes]) -> str:
    value = told.get(PRIORITY)
    return value.lower() if isinstance(value, str) and _PRIORITY.fullmatch(value) else ""
