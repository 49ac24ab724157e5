"""Ways to make a call fail: each sets up a real sidecar before a real upstream and says what to ask it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from sidecar.core.policy import Policy
from sidecar.core.secret import Secret
from sidecar.emulator import Emulator
from sidecar.v1 import generate_pb2
from tests.support import facts, google_account, upstream
from tests.support.certificates import Authority
from tests.support.rpc import PATIENCE_S, Metadata
from tests.support.sidecar import Served, serving
from tests.support.tokens import AUDIENCE, ISSUER

NOBODY = "http://127.0.0.1:1"
"""Where nobody listens."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A sidecar, and the call that is to fail there."""

    served: Served
    fields: Mapping[str, Any]
    timeout_s: float | None
    metadata: Metadata = ()
    """What the caller sends along."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where scenes are set."""

    common: Served
    """A sidecar of default settings before an emulator, for every scene that needs no other."""
    stack: AsyncExitStack
    """What a scene starts ends with it."""
    folder: Path
    """For what a scene writes."""

    async def serving(self, policy: Policy | None = None, **groups: Any) -> Served:
        """A sidecar for one scene; see `tests.support.sidecar`."""
        return await self.stack.enter_async_context(serving(policy, **groups))

    async def upstream(self, *scripts: upstream.Script) -> upstream.ScriptedUpstream:
        """A scripted upstream for one scene."""
        return await self.stack.enter_async_context(upstream.serving(*scripts))

    async def emulator(self) -> Emulator:
        """An emulator for one scene, to look into."""
        return await self.stack.enter_async_context(Emulator())


Provocation: TypeAlias = Callable[[Stage], Awaitable[Scene]]
"""Sets a scene."""

HELLO = {"model": facts.MODEL, "prompt": "hello"}


def fault(words: str, *, timeout_s: float | None = PATIENCE_S, **groups: Any) -> Provocation:
    """The emulator fails as the directive says. Further groups are settings."""

    async def provoke(stage: Stage) -> Scene:
        served = await stage.serving(**groups) if groups else stage.common
        return Scene(served, HELLO | {"prompt": f"hello [[emulate: fault={words}]]"}, timeout_s)

    return provoke


def over_quota(words: str) -> Provocation:
    """The emulator answers 429 as the directive says, to a sidecar of its own: it leaves the project alone
    from then on.
    """

    async def provoke(stage: Stage) -> Scene:
        prompt = f"hello [[emulate: fault={words}]]"
        return Scene(await stage.serving(), HELLO | {"prompt": prompt}, PATIENCE_S)

    return provoke


def asked(*, instead: Mapping[str, Any] | None = None, **fields: Any) -> Provocation:
    """The request itself is at fault: `fields` on top of a good one, or `instead` of it."""

    async def provoke(stage: Stage) -> Scene:
        return Scene(stage.common, HELLO | fields if instead is None else instead, PATIENCE_S)

    return provoke


def under(policy: Policy) -> Provocation:
    """The Policy is at fault, or the places it leads to."""

    async def provoke(stage: Stage) -> Scene:
        return Scene(await stage.serving(policy), HELLO, PATIENCE_S)

    return provoke


def keyed(key: str | None) -> Provocation:
    """The Policy's key is one that the emulator refuses, or there is none."""

    async def provoke(stage: Stage) -> Scene:
        emulator = await stage.emulator()
        endpoint = facts.gemini(emulator.base_url, keys=(Secret(key),) if key else ())
        return Scene(await stage.serving(facts.policy(endpoint)), HELLO, PATIENCE_S)

    return provoke


def scripted(*scripts: upstream.Script, **groups: Any) -> Provocation:
    """The upstream answers with exactly these bytes. Further groups are settings."""

    async def provoke(stage: Stage) -> Scene:
        server = await stage.upstream(*scripts)
        policy = facts.policy(facts.gemini(server.base_url))
        return Scene(await stage.serving(policy, **groups), HELLO, PATIENCE_S)

    return provoke


def refused(status: int, payload: object) -> Provocation:
    """The upstream refuses with this HTTP status and JSON, or with these bytes."""
    return scripted(upstream.answers(payload, status))


def after_unreachable(*scripts: upstream.Script) -> Provocation:
    """The first project cannot be reached and the second answers by the scripts."""

    async def provoke(stage: Stage) -> Scene:
        server = await stage.upstream(*scripts)
        policy = facts.policy(facts.gemini(NOBODY, project="gone"), facts.gemini(server.base_url, level=1))
        return Scene(await stage.serving(policy), HELLO, PATIENCE_S)

    return provoke


def untrusted() -> Provocation:
    """The upstream's certificate comes from an authority that the settings do not trust."""

    async def provoke(stage: Stage) -> Scene:
        tls = Authority().server_context(stage.folder)
        server = await stage.stack.enter_async_context(upstream.serving(upstream.plays(), tls=tls))
        policy = facts.policy(facts.gemini(server.base_url))
        trusted = {"ca_file": Authority().bundle(stage.folder)}
        return Scene(await stage.serving(policy, upstream=trusted), HELLO, PATIENCE_S)

    return provoke


def silent_handshake() -> Provocation:
    """The upstream accepts connections and never begins TLS."""

    async def provoke(stage: Stage) -> Scene:
        server = await stage.upstream(upstream.plays())
        policy = facts.policy(facts.gemini(server.base_url.replace("http:", "https:")))
        return Scene(await stage.serving(policy, upstream={"connect_timeout": 0.2}), HELLO, PATIENCE_S)

    return provoke


def tokens_from(*scripts: upstream.Script) -> Provocation:
    """Google's token service answers by the scripts; without any it cannot be reached."""

    async def provoke(stage: Stage) -> Scene:
        token_url = (await stage.upstream(*scripts)).base_url if scripts else NOBODY
        account = google_account.credentials_file(stage.folder, token_url)
        policy = facts.policy(facts.vertex(NOBODY, credentials_file=account))
        return Scene(await stage.serving(policy), HELLO, PATIENCE_S)

    return provoke


def showing(token: str, **keys: str) -> Provocation:
    """The caller shows this token, to a sidecar that trusts its issuer; `keys` says where its keys are."""

    async def provoke(stage: Stage) -> Scene:
        issuer = {"name": "corp", "issuer": ISSUER, "audiences": [AUDIENCE], **keys}
        served = await stage.serving(identity={"issuers": [issuer]})
        return Scene(served, HELLO, PATIENCE_S, [("authorization", f"Bearer {token}")])

    return provoke


def crowded() -> Provocation:
    """The sidecar holds as many calls as it may: one."""

    async def provoke(stage: Stage) -> Scene:
        emulator = await stage.emulator()
        policy = facts.policy(facts.gemini(emulator.base_url))
        served = await stage.serving(policy, listen={"max_in_flight": 1})
        await stage.stack.enter_async_context(_call_without_end(served))
        await emulator.wait_for(lambda seen: seen.received == 1)
        return Scene(served, HELLO, PATIENCE_S)

    return provoke


def draining() -> Provocation:
    """The sidecar is about to leave; its listeners still stand."""

    async def provoke(stage: Stage) -> Scene:
        served = await stage.serving()
        served.sidecar.gate.drain()
        return Scene(served, HELLO, PATIENCE_S)

    return provoke


def cut_by_drain() -> Provocation:
    """The sidecar leaves in a hurry while the upstream has not answered yet."""

    async def provoke(stage: Stage) -> Scene:
        emulator = await stage.emulator()
        served = await stage.serving(facts.policy(facts.gemini(emulator.base_url)))
        leaving = asyncio.create_task(_leave(served, emulator))
        stage.stack.push_async_callback(asyncio.wait, {leaving})
        return Scene(served, HELLO | {"prompt": "hello [[emulate: fault=stall after=0]]"}, PATIENCE_S)

    return provoke


async def _leave(served: Served, emulator: Emulator) -> None:
    await emulator.wait_for(lambda seen: seen.received == 1)
    hurry = asyncio.Event()
    hurry.set()
    await served.sidecar.drain(hurry)


@asynccontextmanager
async def _call_without_end(served: Served) -> AsyncIterator[None]:
    prompt = "hello [[emulate: fault=stall]]"
    call = served.gemini.Generate(generate_pb2.GenerateRequest(model=facts.MODEL, prompt=prompt))
    try:
        yield
    finally:
        call.cancel()
