"""Reflection where it is off: refused with a reason, and written down, in place of grpc's bare
UNIMPLEMENTED."""

from collections.abc import AsyncIterator

import grpc

from sidecar.edge.asked import begun
from sidecar.edge.context import Context
from sidecar.edge.guard import Guard
from sidecar.edge.refusal import refuse

SERVICES = ("grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection")
_METHOD = "ServerReflectionInfo"


class ReflectionOff:
    """Answers every question about services, of whatever version, by saying that none is answered."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def __repr__(self) -> str:
        return f"<ReflectionOff of {self._guard!r}>"

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """What grpc is to register."""
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self._refuse)
        return tuple(grpc.method_handlers_generic_handler(name, {_METHOD: handler}) for name in SERVICES)

    async def _refuse(self, requests: AsyncIterator[bytes], context: Context) -> None:
        name = begun(context)
        try:
            async for _ in requests:  # who asks hears the answer, and not that nobody listens
                break
            why = "reflection is off for callers from outside the pod (listen.remote_reflection)"
            await self._guard.turn_away(context, "ServerReflection", name, why)
        except Exception as error:
            await refuse(context, error, name, was_sent=False)
