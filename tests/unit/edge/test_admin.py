"""AdminService without grpc: what is told, when, and to whom."""

import asyncio
from typing import Any, cast

import grpc
import pytest

from sidecar.core.feature import Feature
from sidecar.core.levels import LimitsMode
from sidecar.core.policy import ModelRoute
from sidecar.core.rules import Deeds, Effect, Rule, Rules
from sidecar.edge.admin import AdminService, Control, State
from sidecar.edge.asked import WATCHES_MAX
from sidecar.v1.admin_pb2 import ExplainRequest, ExplainResponse, SidecarHealth, WatchRequest
from sidecar.v1.quota_pb2 import LimitsMode as LimitsModeMessage
from tests.support import facts
from tests.unit.edge.fakes import Aborted, FakeContext, guard
from tests.unit.identity.fakes import FakeVerifier

SERVING = State(is_draining=False, in_flight=2, policy_digest="abc", limits_mode=LimitsMode.NORMAL)
POLICY = facts.policy(
    unlisted_models=False,
    routes={"fast": ModelRoute("gemini-3.8-flash", ("main",))},
    rules=Rules((Rule("no-code", Effect.DENY, deeds=Deeds(features=frozenset({Feature.CODE_EXECUTION}))),)),
)


class Administered:
    """A service over a sidecar that the test makes up."""

    def __init__(self) -> None:
        self.state = SERVING
        self.drained = 0
        self.audit = facts.FakeAudit()
        verifier = FakeVerifier({"admin": ["sidecar.admin", "a"], "reader": ["read"]})
        control = Control(lambda: self.state, lambda: POLICY, self.drain)
        self.service = AdminService(control, guard(verifier, self.audit))

    def drain(self) -> None:
        self.drained += 1

    async def explain(self, token: str = "", **fields: Any) -> ExplainResponse:
        context = FakeContext(authorization=f"Bearer {token}") if token else FakeContext()
        return await self.service.Explain(ExplainRequest(**fields).SerializeToString(), cast(Any, context))


async def test_draining_is_told_and_written_down() -> None:
    admin = Administered()
    reply = await admin.service.Drain(b"", cast(Any, FakeContext(x_request_id="req-1")))
    assert (reply.in_flight, admin.drained) == (2, 1)
    (record,) = admin.audit.records
    assert (record.kind, record.facts["method"], record.facts["principal"]) == (
        "administered",
        "AdminService/Drain",
        "pod",
    )


async def test_nobody_drains_without_the_scope() -> None:
    admin = Administered()
    context = FakeContext(authorization="Bearer reader")
    with pytest.raises(Aborted):
        await admin.service.Drain(b"", cast(Any, context))
    assert context.aborted is not None
    assert context.aborted[0] is grpc.StatusCode.PERMISSION_DENIED
    assert admin.drained == 0


class Leading(FakeContext):
    """A watcher; with each message that it hears the sidecar goes on to its next state."""

    def __init__(self, admin: Administered, *states: State) -> None:
        super().__init__()
        self.admin = admin
        self.states = iter(states)

    async def write(self, message: Any) -> None:
        await super().write(message)
        self.admin.state = next(self.states, self.admin.state)


async def test_a_watcher_hears_of_changes_and_of_the_end() -> None:
    admin = Administered()
    states = (State(True, 1, "abc", LimitsMode.LEASE), State(True, 0, "abc", LimitsMode.LEASE))
    context = Leading(admin, *states)
    request = WatchRequest()
    request.interval.FromMilliseconds(100)
    async with asyncio.timeout(30):
        await admin.service.Watch(request.SerializeToString(), cast(Any, context))
    health = [message.health for message in context.written]
    assert health == [SidecarHealth.SIDECAR_HEALTH_SERVING, *[SidecarHealth.SIDECAR_HEALTH_DRAINING] * 2]
    assert [message.in_flight for message in context.written] == [2, 1, 0]
    assert context.written[-1].policy_digest == "abc"
    assert context.written[-1].limits_mode == LimitsModeMessage.LIMITS_MODE_LEASE


async def test_a_watch_too_many_is_shed() -> None:
    admin = Administered()
    watches = [
        asyncio.ensure_future(admin.service.Watch(b"", cast(Any, FakeContext()))) for _ in range(WATCHES_MAX)
    ]
    await asyncio.sleep(0)
    context = FakeContext()
    with pytest.raises(Aborted):
        await admin.service.Watch(b"", cast(Any, context))
    assert context.aborted is not None
    assert context.aborted[0] is grpc.StatusCode.UNAVAILABLE
    for watch in watches:
        watch.cancel()
    await asyncio.wait(watches)
    assert repr(admin.service) == f"<AdminService at local, <Watches: 0 of {WATCHES_MAX}>>"


async def test_the_caller_is_told_who_it_is() -> None:
    told = await Administered().explain("admin", model="fast")
    assert (told.principal, told.subject, told.listener) == ("pod", "jwt:corp/alice", "local")
    assert list(told.scopes) == ["a", "sidecar.admin"]


@pytest.mark.parametrize(
    ("fields", "allowed", "rule"),
    [
        ({"model": "fast"}, True, "default"),
        ({"model": "fast", "features": ["code_execution"]}, False, "no-code"),
        ({"model": "other"}, False, "unlisted_models"),
        ({"model": "fast", "features": ["unknown_fields"]}, False, "unknown_fields"),
        ({"method": "ListModels"}, True, "default"),
    ],
)
async def test_the_rule_that_decides_is_told(fields: dict[str, Any], allowed: bool, rule: str) -> None:
    told = await Administered().explain(**fields)
    assert (told.allowed, told.rule) == (allowed, rule)


@pytest.mark.parametrize("fields", [{"method": "Drain"}, {"features": ["telepathy"]}, {"tier": "gold"}])
async def test_words_that_mean_nothing_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Aborted):
        await Administered().explain(**fields)
