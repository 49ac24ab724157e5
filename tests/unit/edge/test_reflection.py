"""Reflection where it is off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest

from sidecar.edge.reflection import ReflectionOff
from tests.unit.edge.fakes import Aborted, FakeContext, guard


async def silence() -> AsyncIterator[bytes]:
    """A caller that opens a stream and never asks."""
    await asyncio.Event().wait()
    yield b""


async def question() -> AsyncIterator[bytes]:
    yield b""


@pytest.mark.parametrize(("asked", "patience_s"), [(question, 3600.0), (silence, 0.0)])
async def test_it_is_refused_whether_something_is_asked_or_not(asked: Any, patience_s: float) -> None:
    """Who holds a stream open without asking holds a place that a call could have."""
    context = FakeContext()
    off = ReflectionOff(guard(), patience_s)
    handlers = off.handlers()
    assert len(handlers) == 2
    with pytest.raises(Aborted):
        async with asyncio.timeout(30):
            await off.refuse(asked(), cast(Any, context))
    assert context.aborted is not None
    assert context.aborted[0] is grpc.StatusCode.PERMISSION_DENIED
