"""grpc.health.v1: whether to send calls here, for each service and for the whole.

A sidecar serves from the moment it listens until it drains; a sick upstream does not change that, for no
other sidecar would fare better. The servicer of grpcio-health-checking is not used because its Watch never
returns: one watching client would hold up every drain to its limit.
"""

import asyncio

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from sidecar.edge.context import Context


class Health(HealthServicer):
    """SERVING until `drain`, NOT_SERVING from then on. Names the services it answers for; the empty name is
    the whole.
    """

    def __init__(self, services: tuple[str, ...]) -> None:
        self._services = frozenset(("", *services))
        self._draining = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Health {'NOT_SERVING' if self._draining.is_set() else 'SERVING'}>"

    def drain(self) -> None:
        """Say NOT_SERVING from now on, and end every Watch with that."""
        self._draining.set()

    async def draining(self) -> None:
        """Wait until `drain`."""
        await self._draining.wait()

    async def Check(self, request: HealthCheckRequest, context: Context) -> HealthCheckResponse:
        """The status now."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r} here")
        return self._status(request)

    async def Watch(self, request: HealthCheckRequest, context: Context) -> None:
        """The status now and whenever it changes."""
        was_draining = self._draining.is_set()
        await context.write(self._status(request))
        await self._draining.wait()
        if not was_draining and request.service in self._services:
            await context.write(self._status(request))

    def _status(self, request: HealthCheckRequest) -> HealthCheckResponse:
        if request.service not in self._services:
            return HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
        draining = self._draining.is_set()
        return HealthCheckResponse(
            status=HealthCheckResponse.NOT_SERVING if draining else HealthCheckResponse.SERVING
        )
