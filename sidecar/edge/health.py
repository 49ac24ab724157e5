"""grpc.health.v1: whether to send calls here, for each service and for the whole.

A sidecar serves from the moment it listens until it drains; a sick upstream does not change that, for no
other sidecar would fare better. The servicer of grpcio-health-checking is not used because its Watch never
returns: one watching client would hold up every drain to its limit.

Nobody is asked who they are, for load balancers cannot say it. So whoever reaches a listener may ask, and
what they can hold open there is bounded.
"""

import asyncio

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from sidecar.edge.context import Context

WATCHES_MAX = 64
"""Watches at one listener. Behind Envoy each takes the place of one of `listen.max_in_flight` calls."""


class Health:
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

    def status_of(self, service: str) -> HealthCheckResponse:
        """The status of a service now; SERVICE_UNKNOWN for one that is not here."""
        if service not in self._services:
            return HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
        draining = self._draining.is_set()
        return HealthCheckResponse(
            status=HealthCheckResponse.NOT_SERVING if draining else HealthCheckResponse.SERVING
        )


class HealthService(HealthServicer):
    """The service as one listener serves it."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._watches = 0

    def __repr__(self) -> str:
        return f"<HealthService of {self._health!r}, {self._watches} watch>"

    async def Check(self, request: HealthCheckRequest, context: Context) -> HealthCheckResponse:
        """The status now."""
        status = self._health.status_of(request.service)
        if status.status == HealthCheckResponse.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here")
        return status

    async def Watch(self, request: HealthCheckRequest, context: Context) -> None:
        """The status now and whenever it changes.

        Above `WATCHES_MAX` it is UNIMPLEMENTED, the one refusal that clients do not take for ill health
        (gRPC proposal A17).
        """
        if self._watches >= WATCHES_MAX:
            await context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"{WATCHES_MAX} watch already, as many as may: call Check"
            )
        self._watches += 1
        try:
            await self._watch(request.service, context)
        finally:
            self._watches -= 1

    async def _watch(self, service: str, context: Context) -> None:
        told = self._health.status_of(service)
        await context.write(told)
        await self._health.draining()
        last = self._health.status_of(service)
        if last != told:
            await context.write(last)
