"""Reflection where it is off: refused with a reason, and written down, in place of grpc's bare
UNIMPLEMENTED."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import grpc

from sidecar.edge.asked import begun
from sidecar.edge.context import Context
from sidecar.edge.guard import Guard
from sidecar.edge.refusal import refuse

SERVICES = ("grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection")
_METHOD = "ServerReflectionInfo"
_PATIENCE_S = 5.0
"""For a question to come: who asks none is refused too, and holds no stream open."""


class ReflectionOff:
    """Answers every question about services, of whatever version, by saying that none is answered."""

    def __init__(self, guard: Guard, patience_s: float = _PATIENCE_S) -> None:
        self._guard = guard
        self._patience_s = patience_s

    def __repr__(self) -> str:
        return f"<ReflectionOff of {self._guard!r}>"

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """What grpc is to register."""
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self.refuse)
        return tuple(grpc.method_handlers_generic_handler(name, {_METHOD: handler}) for name in SERVICES)

    async def refuse(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """The one answer."""
        name = begun(context)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience_s):
                    await anext(requests, None)  # who asks hears the answer, and not that nobody listens
            why = "reflection is off for callers from outside the pod (listen.remote_reflection)"
            await self._guard.turn_away(context, "ServerReflection", name, why)
        except Exception as error:
            await refuse(context, error, name, was_sent=False)
