"""The parts list: Configuration -> a running Sidecar. The only place that knows which implementation stands
behind each port.

Parts are built leaves first and closed in reverse, after `edge/drain` has taken leave of the callers.
"""

import asyncio
import gc
import logging
import random
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import uvloop

from sidecar.cache.bypass import NoCache
from sidecar.config.faults import ConfigError, Fault
from sidecar.config.identity import IdentitySettings
from sidecar.config.load import Configuration
from sidecar.config.policy import DIGEST_SHOWN_CHARS
from sidecar.config.policy_source import Reload
from sidecar.config.settings import AuditSettings, Settings
from sidecar.core.audit import policy_refused, policy_taken
from sidecar.core.outcome import CANCELLED, OK
from sidecar.core.policy import Policy
from sidecar.core.ports import Audit, Bulletin, LedgerObserver
from sidecar.edge.admin import AdminService, Control, State
from sidecar.edge.context import Arrivals
from sidecar.edge.convert import faces
from sidecar.edge.doors import Door, doors_of
from sidecar.edge.drain import Drain
from sidecar.edge.guard import Guard
from sidecar.edge.health import Health
from sidecar.edge.quota import QuotaService
from sidecar.edge.reflection import ReflectionOff
from sidecar.edge.server import Listener, ListenError, names_of
from sidecar.edge.services import GeminiService
from sidecar.edge.status import CODES
from sidecar.edge.threads import give_way, other_threads
from sidecar.identity.audit import NoAudit, audit_trail
from sidecar.identity.bearer import Unverifiable, Verifier
from sidecar.limits.backlog import HORIZON_MS
from sidecar.limits.estimate import Estimator
from sidecar.limits.group import Holding, LedgerFactory
from sidecar.limits.groups import Groups
from sidecar.limits.limiter import Limiter
from sidecar.limits.memory import MemoryLedgers, SystemClocks
from sidecar.limits.observed import ObservedLedgers
from sidecar.limits.redis_ledger import RedisLedger, ledger_script
from sidecar.mesh.files import Shared
from sidecar.mesh.peers import Peers
from sidecar.pipeline.gate import Gate
from sidecar.pipeline.stages import Stages
from sidecar.policy.signatures import Signatures
from sidecar.store.memory import MemoryBulletin
from sidecar.telemetry import logs
from sidecar.telemetry.http import TelemetryServer
from sidecar.telemetry.instruments import Instruments
from sidecar.telemetry.observer import CallObserver
from sidecar.upstream.credentials import Credentials
from sidecar.upstream.fleet import Fleet
from sidecar.upstream.rest import RestTransport

if TYPE_CHECKING:
    from sidecar.store.client import Store
    from sidecar.upstream.sdk import SdkTransport

_YOUNG_OBJECTS = 10_000
"""Garbage is looked for after so many new objects. Calls that come together make Python's 700 at once, and
all of it is walked through for nothing: it is in use until their upstream answers.
"""

_log = logging.getLogger(__name__)


class Sidecar:
    """A sidecar that serves."""

    def __init__(self, listeners: Sequence[Listener], gate: Gate, limits: Limiter, drain: Drain) -> None:
        self.gate = gate
        self.limits = limits
        self._listeners = listeners
        self._drain = drain

    def __repr__(self) -> str:
        return f"<Sidecar at {', '.join(self.addresses)}: {self.gate!r}>"

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as gRPC targets."""
        return [listener.address for listener in self._listeners]

    async def drain(self, hurry: asyncio.Event | None = None) -> None:
        """Take leave of callers, in a hurry once that is set; see `edge.drain`."""
        await self._drain.run(self._listeners, hurry or asyncio.Event())


def run(configuration: Configuration) -> int:
    """Serve until SIGTERM or SIGINT, then drain; a second signal cuts the drain short. Returns the exit code.

    Raises ConfigError when an address cannot be served.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(configuration))
    return 0


async def _serve(configuration: Configuration) -> None:
    stop, hurry = asyncio.Event(), asyncio.Event()

    def signalled() -> None:
        (hurry if stop.is_set() else stop).set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, signalled)
    async with running(configuration) as sidecar:
        give_way(other_threads())
        gc.set_threshold(_YOUNG_OBJECTS)
        gc.freeze()  # modules and parts stay to the end: no collection need walk through them again
        _log.info("serving", extra={"fields": {"addresses": sidecar.addresses}})
        await stop.wait()
        _log.info("draining", extra={"fields": {"in_flight": sidecar.gate.in_flight}})
        await sidecar.drain(hurry)


@asynccontextmanager
async def running(configuration: Configuration) -> AsyncIterator[Sidecar]:
    """Build, start and in the end close a sidecar. Raises ConfigError when an address cannot be served."""
    settings = configuration.settings
    async with AsyncExitStack() as closing:
        log_pipeline = logs.setup(settings.telemetry.log_format, settings.telemetry.log_level)
        closing.callback(log_pipeline.close)
        instruments = Instruments(version("gemini-sidecar"), _status_names(), lambda: log_pipeline.dropped)

        emulator_url = await _emulator(closing) if configuration.policy is None else None
        credentials = Credentials(instruments.credentials.refused)
        audit = _audit(settings.audit, instruments, closing)
        policies = configuration.policy_source(_Reloads(instruments, credentials, audit), emulator_url)
        instruments.policy.loaded(policies.current.digest)
        audit.record(policy_taken(policies.current.digest[:DIGEST_SHOWN_CHARS]))
        instruments.credentials.known(_with_keys(policies.current))
        transport = _transport(settings, credentials)
        closing.push_async_callback(transport.close)
        store = await _store(settings, closing)
        bulletin: Bulletin = MemoryBulletin() if store is None else store.bulletin()
        limits = _limiter(settings, store, bulletin, instruments.ledger, closing)
        gate = Gate(settings.listen.max_in_flight)
        fleet = Fleet(
            bulletin, instruments.pool, limits.headroom, asyncio.get_running_loop().time, random.random
        )
        signatures = Signatures()
        both_ways = faces(settings.listen.message_limit)
        observer = CallObserver(instruments)

        health = Health(names_of((GeminiService, QuotaService, AdminService)))
        drain = Drain(gate, health, settings.drain.limit)
        control = Control(
            lambda: State(
                gate.is_draining, gate.in_flight, policies.current.digest[:DIGEST_SHOWN_CHARS], limits.mode
            ),
            lambda: policies.current,
            drain.turn_away,
        )

        def listener(address: str, door: Door) -> Listener:
            guard = Guard(door, settings.identity.admin_scope, lambda: policies.current, audit)
            gemini = GeminiService(
                Arrivals(door.name, settings.deadline, door.identity.looks_at),
                both_ways,
                Stages(gate, door.identity, audit, NoCache(), limits, fleet, transport, signatures),
                lambda: policies.current,
                observer,
            )
            quota = QuotaService(
                lambda prefixes: limits.states(policies.current, prefixes), health.draining, guard
            )
            services = (gemini, quota, AdminService(control, guard))
            reflects = door.is_local or settings.listen.remote_reflection
            return Listener(
                address, settings.listen, services, health, None if reflects else ReflectionOff(guard)
            )

        doors = doors_of(settings, _verifier(settings.identity, closing))
        listeners = {key: listener(address, door) for key, (address, door) in doors.items()}
        sidecar = Sidecar(tuple(listeners.values()), gate, limits, drain)
        await _start(listeners, closing)
        await _start_telemetry(settings.telemetry.address, instruments, sidecar, closing)
        works = {"breakers": fleet.listen(), "policy-watch": policies.watch()}
        for name, work in {**works, **_peers(settings, bulletin, health)}.items():
            _running(closing, work, name)
        yield sidecar


def _audit(settings: AuditSettings, instruments: Instruments, closing: AsyncExitStack) -> Audit:
    if settings.file is None:
        return NoAudit()
    trail = audit_trail(settings.file, settings, version("gemini-sidecar"))
    closing.callback(trail.close)
    instruments.audits(lambda: trail.dropped)
    return trail


def _verifier(settings: IdentitySettings, closing: AsyncExitStack) -> Verifier:
    if not settings.issuers:
        return Unverifiable()
    from sidecar.identity.trusted import oauth_of  # needs cryptography, which only they need

    oauth = oauth_of(settings.issuers)
    oauth.warm()
    closing.push_async_callback(oauth.close)
    return oauth


def _peers(settings: Settings, bulletin: Bulletin, health: Health) -> Mapping[str, Coroutine[Any, Any, None]]:
    """What finds the peers of the Envoy beside us; nothing, where that is not our business."""
    if settings.envoy.peers != "bulletin" or settings.envoy.advertise is None:
        return {}
    peers = Peers(bulletin, settings.envoy.advertise, Shared.of(settings).peers, health.draining)
    return {"peers": peers.run()}


async def _store(settings: Settings, closing: AsyncExitStack) -> "Store | None":
    """What the fleet shares; None for a sidecar that is by itself."""
    if settings.limits.scope != "redis":
        return None
    from sidecar.store.client import connected  # the client takes 10 MiB and a quarter of a second

    return await closing.enter_async_context(connected(settings.redis))


def _limiter(
    settings: Settings,
    store: "Store | None",
    bulletin: Bulletin,
    observer: LedgerObserver,
    closing: AsyncExitStack,
) -> Limiter:
    clocks = SystemClocks()
    ledgers = MemoryLedgers(clocks) if store is None else _redis_ledgers(store)
    holding = Holding(
        base=f"{socket.gethostname()}:{settings.listen.port}",
        ahead_ms=HORIZON_MS if settings.limits.prefetch else 0.0,
    )
    groups = Groups(ObservedLedgers(ledgers, observer, clocks), holding, clocks, bulletin)
    closing.push_async_callback(groups.close)
    return Limiter(groups, Estimator(), clocks, settings.limits.wait)


def _redis_ledgers(store: "Store") -> LedgerFactory:
    script = store.script(ledger_script())
    return lambda group: RedisLedger(script, group, store.prefix)


def _transport(settings: Settings, credentials: Credentials) -> "RestTransport | SdkTransport":
    if settings.upstream.transport == "rest":
        return RestTransport(settings.upstream, credentials, settings.listen.message_limit)
    from sidecar.upstream.sdk import SdkTransport  # google-genai is optional and takes 60 MiB

    return SdkTransport(settings.upstream, credentials, settings.listen.message_limit)


class _Reloads:
    """What a change of the Policy, accepted or refused, sets off."""

    def __init__(self, instruments: Instruments, credentials: Credentials, audit: Audit) -> None:
        self._audit = audit
        self._metrics = instruments.policy
        self._key_metrics = instruments.credentials
        self._credentials = credentials

    def __call__(self, reload: Reload) -> None:
        digest = reload.policy.digest[:DIGEST_SHOWN_CHARS]
        if reload.faults:
            self._metrics.rejected()
            faults = list(map(str, reload.faults))
            self._audit.record(policy_refused(digest, faults))
            told = {"faults": faults}
            _log.error("the changed Policy is refused; the one before stays in force", extra={"fields": told})
            return
        self._audit.record(policy_taken(digest))
        self._metrics.reloaded(reload.policy.digest)
        self._key_metrics.known(_with_keys(reload.policy))
        self._credentials.forget()
        _log.info("another Policy is in force", extra={"fields": {"digest": digest}})


def _status_names() -> dict[str, str]:
    """The gRPC status of every way a call can end."""
    return {OK: OK, CANCELLED: CANCELLED} | {str(reason): code.name for reason, code in CODES.items()}


def _with_keys(policy: Policy) -> Iterator[str]:
    return (endpoint.project for endpoint in policy.endpoints if endpoint.keys)


async def _emulator(closing: AsyncExitStack) -> str:
    """Start an emulator in this process, on any free port of the loopback; returns its base URL."""
    from sidecar.emulator import Emulator  # only who asks for it pays for it

    emulator = Emulator()
    await emulator.start()
    closing.push_async_callback(emulator.stop)
    return emulator.base_url


async def _start(listeners: Mapping[str, Listener], closing: AsyncExitStack) -> None:
    """Start each, by the key of `listen` that names its address."""
    for key, listener in listeners.items():
        try:
            await listener.start()
        except ListenError as error:
            other = "--socket or --listen" if key != "envoy_socket" else f"listen.{key}"
            remedy = f"stop the other process, or choose another with {other}"
            raise ConfigError([Fault(f"listen.{key}", listener.address, str(error), remedy)]) from error
        closing.push_async_callback(listener.drain, 0)


async def _start_telemetry(
    address: str | None, instruments: Instruments, sidecar: Sidecar, closing: AsyncExitStack
) -> None:
    if address is None:
        return
    server = TelemetryServer(
        address, instruments, sidecar.limits, lambda: "draining" if sidecar.gate.is_draining else None
    )
    try:
        await server.start()
    except OSError as error:
        remedy = "choose another with --telemetry-address, or none with an empty one"
        raise ConfigError(
            [Fault("telemetry.address", address, f"cannot be bound: {error.strerror}", remedy)]
        ) from error
    closing.push_async_callback(server.close)
    _log.info("telemetry", extra={"fields": {"address": f"{address.rpartition(':')[0]}:{server.port}"}})


def _running(closing: AsyncExitStack, work: Coroutine[Any, Any, None], name: str) -> None:
    """Let it run until closing."""
    task = asyncio.create_task(work, name=name)

    async def stop() -> None:
        task.cancel()
        await asyncio.wait({task})

    closing.push_async_callback(stop)
