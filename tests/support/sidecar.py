"""A real sidecar inside the test's process: real listeners, real gRPC, the upstream of the test's choice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio

from sidecar.app import Sidecar, running
from sidecar.config.load import Configuration
from sidecar.config.settings import Settings
from sidecar.core.policy import Policy
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub


@dataclass(frozen=True, slots=True)
class Served:
    """A sidecar that serves, and a client of it."""

    sidecar: Sidecar
    channel: grpc.aio.Channel
    gemini: Any
    """The async stub of GeminiService; its generated code has no annotations."""


def settings(**groups: dict[str, Any]) -> Settings:
    """Settings for tests: any free port, no telemetry port, short drain; `groups` go on top, key by key."""
    base: dict[str, dict[str, Any]] = {
        "listen": {"address": "127.0.0.1:0"},
        "limits": {"scope": "process"},
        "telemetry": {"address": None, "log_level": "error"},
        "drain": {"limit": 5.0},
    }
    merged = {name: base.get(name, {}) | groups.get(name, {}) for name in {*base, *groups}}
    return Settings.model_validate(merged)


@asynccontextmanager
async def serving(policy: Policy | None = None, **groups: dict[str, Any]) -> AsyncIterator[Served]:
    """A running sidecar with this Policy, or with the emulator when there is none."""
    async with (
        running(Configuration(settings(**groups), policy)) as sidecar,
        grpc.aio.insecure_channel(sidecar.addresses[0]) as channel,
    ):
        yield Served(sidecar, channel, GeminiServiceStub(channel))
