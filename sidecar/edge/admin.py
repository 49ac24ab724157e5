"""AdminService over gRPC: looks into a sidecar, and has it leave."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, get_args

from google.protobuf.descriptor import ServiceDescriptor

from sidecar.config.quota_schema import Tier
from sidecar.core.call import Method
from sidecar.core.errors import FieldViolation, InvalidRequest
from sidecar.core.feature import Feature
from sidecar.core.levels import LimitsMode
from sidecar.core.policy import STANDARD_TIER, Policy
from sidecar.core.principal import Principal
from sidecar.core.rules import Deed
from sidecar.edge.asked import QUIET_S, Watches, begun, interval_s, read
from sidecar.edge.context import Context
from sidecar.edge.guard import Guard
from sidecar.edge.levels import mode_message
from sidecar.edge.refusal import refuse
from sidecar.edge.writer import Writer
from sidecar.policy.authorization import explain
from sidecar.v1 import admin_service_pb2
from sidecar.v1.admin_pb2 import (
    DrainRequest,
    DrainResponse,
    ExplainRequest,
    ExplainResponse,
    SidecarHealth,
    WatchRequest,
    WatchResponse,
)
from sidecar.v1.admin_service_pb2_grpc import AdminServiceServicer

_TIERS: tuple[str, ...] = get_args(Tier)
_WITH_OUTPUT = (Method.GENERATE, Method.STREAM_GENERATE)


@dataclass(frozen=True, slots=True)
class State:
    """How a sidecar is."""

    is_draining: bool
    in_flight: int
    policy_digest: str
    limits_mode: LimitsMode


@dataclass(frozen=True, slots=True)
class Control:
    """What administrators look at and do. Functions, because nothing of it may be kept."""

    state: Callable[[], State]
    policy: Callable[[], Policy]
    drain: Callable[[], None]
    """Take no new calls from now on; may be repeated."""


class AdminService(AdminServiceServicer):
    """The service as one listener serves it."""

    DESCRIPTOR: ClassVar[ServiceDescriptor] = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]

    def __init__(self, control: Control, guard: Guard) -> None:
        self._control = control
        self._guard = guard
        self._watches = Watches("wait for one to end")

    def __repr__(self) -> str:
        return f"<AdminService at {self._guard.listener}, {self._watches!r}>"

    async def Drain(self, request: bytes, context: Context) -> DrainResponse:
        """Take no new calls from now on."""
        name = begun(context)
        try:
            principal = await self._guard.admit(context, "AdminService/Drain", name)
            read(DrainRequest, request)
            self._guard.note(principal, "AdminService/Drain", name)
            self._control.drain()
            return DrainResponse(in_flight=self._control.state().in_flight)
        except Exception as error:
            await refuse(context, error, name, was_sent=False)

    async def Watch(self, request: bytes, context: Context) -> None:
        """The state now and whenever it changes, until the sidecar has drained."""
        name, writer = begun(context), Writer(context)
        try:
            await self._guard.admit(context, "AdminService/Watch", name)
            asked = read(WatchRequest, request)
            every_s = interval_s(asked.interval if asked.HasField("interval") else None)
            with self._watches.one_more():
                await self._watch(every_s, writer)
        except Exception as error:
            await writer.ready_to_end()
            await refuse(context, error, name, was_sent=False)

    async def Explain(self, request: bytes, context: Context) -> ExplainResponse:
        """Who the caller is, and what the Policy says."""
        name = begun(context)
        try:
            principal = await self._guard.admit(context, "AdminService/Explain", name)
            return self._explained(principal, read(ExplainRequest, request))
        except Exception as error:
            await refuse(context, error, name, was_sent=False)

    async def _watch(self, every_s: float, writer: Writer) -> None:
        now = asyncio.get_running_loop().time
        told: State | None = None
        told_at = now()
        while True:
            state = self._control.state()
            if state != told or now() >= told_at + QUIET_S:
                await writer.write(_message(state))
                told, told_at = state, now()
            if state.is_draining and not state.in_flight:
                return
            await asyncio.sleep(every_s)

    def _explained(self, principal: Principal, asked: ExplainRequest) -> ExplainResponse:
        decision = explain(self._control.policy(), principal, asked.model, _deed(asked))
        return ExplainResponse(
            principal=principal.id,
            tenant=principal.tenant,
            subject=principal.subject,
            scopes=sorted(principal.scopes or ()),
            listener=self._guard.listener,
            allowed=decision.is_allowed,
            rule=decision.rule,
        )


def _message(state: State) -> WatchResponse:
    health = SidecarHealth.SIDECAR_HEALTH_SERVING
    return WatchResponse(
        health=SidecarHealth.SIDECAR_HEALTH_DRAINING if state.is_draining else health,
        in_flight=state.in_flight,
        policy_digest=state.policy_digest,
        limits_mode=mode_message(state.limits_mode),
    )


def _deed(asked: ExplainRequest) -> Deed:
    method = asked.method or Method.GENERATE
    if method not in set(Method):
        raise InvalidRequest(FieldViolation("method", f"is none of {', '.join(Method)}"))
    unknown = sorted(set(asked.features) - set(Feature))
    if unknown:
        raise InvalidRequest(FieldViolation("features", f"has words that are none of {', '.join(Feature)}"))
    if asked.tier and asked.tier not in _TIERS:
        raise InvalidRequest(FieldViolation("tier", f"is none of {', '.join(_TIERS)}"))
    bound = asked.max_output_tokens if asked.max_output_tokens > 0 else None  # as of a call
    return Deed(
        method=method,
        tier=asked.tier or STANDARD_TIER,
        output_tokens=bound if method in _WITH_OUTPUT else 0,
        features=frozenset(map(Feature, asked.features)),
    )
