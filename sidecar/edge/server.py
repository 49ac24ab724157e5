"""The listeners: each is a grpc.aio server of its own over the same services.

One server each, because `context.peer()` cannot tell unix sockets apart and each listener believes other
things of its callers. A port or socket that another process serves is refused: grpc would silently share both
and each would get half of the calls.
"""

import asyncio
import operator
import os
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import ClassVar, Protocol, cast

import grpc
import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from sidecar.config.settings import ListenSettings
from sidecar.edge.health import Health, HealthService
from sidecar.edge.reflection import ReflectionOff

_FRAME_SLACK_BYTES = 64 * 1024
"""Above the message limit when sending: our own check answers first, with details."""
_OTHERS = 0o117
"""What is not allowed at a socket: anything to others, execution to anybody."""
_UNIX = "unix:"


class ListenError(Exception):
    """An address or socket cannot be served; the text says which, why, and what to do."""


class Service(Protocol):
    """A service of the product: a method for each RPC, which takes its request as it is on the wire."""

    DESCRIPTOR: ClassVar[ServiceDescriptor]
    """The service as the proto has it."""


def names_of(services: Sequence[Service | type[Service]]) -> tuple[str, ...]:
    """Their full names, as health and reflection know them."""
    return tuple(service.DESCRIPTOR.full_name for service in services)


class Listener:
    """One place to call, serving `services` and health from `start` to `drain`, and reflection unless it is
    off.
    """

    def __init__(
        self,
        address: str,
        settings: ListenSettings,
        services: Sequence[Service],
        health: Health,
        reflection_off: ReflectionOff | None = None,
    ) -> None:
        self.address = address
        self._server = grpc.aio.server(options=_options(settings, is_socket=address.startswith(_UNIX)))
        self._server.add_generic_rpc_handlers(tuple(map(_handlers, services)))
        registry = cast(grpc.aio.Server, _Registry(self._server))
        health_pb2_grpc.add_HealthServicer_to_server(HealthService(health), registry)
        if reflection_off is not None:
            self._server.add_generic_rpc_handlers(reflection_off.handlers())
        else:
            health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
            servicer = reflection.aio.ReflectionServicer(
                (*names_of(services), health_name, reflection.SERVICE_NAME)
            )
            reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, registry)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"<Listener {self.address}>"

    async def start(self) -> None:
        """Bind and serve. Raises ListenError."""
        path = Path(self.address.removeprefix(_UNIX)) if self.address.startswith(_UNIX) else None
        if path:
            _clear_stale(path)
        try:
            with _made_for_owner_and_group() if path else nullcontext():
                port = self._server.add_insecure_port(self.address)
        except RuntimeError as error:
            raise ListenError(
                f"{self.address} cannot be bound: another process serves it, or it is not an address here"
            ) from error
        if not path:
            self.address = f"{self.address.rpartition(':')[0]}:{port}"
        await self._server.start()

    async def drain(self, limit_s: float) -> None:
        """Send GOAWAY, let calls in flight finish for `limit_s`, cancel the rest."""
        await self._server.stop(limit_s)


async def drain_all(listeners: Sequence[Listener], limit_s: float) -> None:
    """Drain every listener at the same time."""
    async with asyncio.TaskGroup() as group:
        for listener in listeners:
            group.create_task(listener.drain(limit_s))


class _Registry:
    """What generated code takes for a server to register a service with: it registers the whole and no method
    on its own.

    For each of those grpc.aio waits anew whenever any call has come: 7 µs a call with the few of health and
    reflection.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, object]
    ) -> None:
        """Nothing: the service has them."""


def _handlers(service: Service) -> grpc.GenericRpcHandler:
    """What the generated registration makes, but for the requests: they stay as they are on the wire."""
    makers = {True: grpc.unary_stream_rpc_method_handler, False: grpc.unary_unary_rpc_method_handler}
    return grpc.method_handlers_generic_handler(
        service.DESCRIPTOR.full_name,
        {
            method.name: makers[method.server_streaming](
                getattr(service, method.name), response_serializer=operator.methodcaller("SerializeToString")
            )
            for method in service.DESCRIPTOR.methods
        },
    )


@contextmanager
def _made_for_owner_and_group() -> Iterator[None]:
    """Sockets made meanwhile have mode 0660 from the first: who connects to one before a chmod stays in."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def _clear_stale(path: Path) -> None:
    """Make way for a socket at `path`: remove what a dead process left, refuse what a live one serves."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} exists and is no socket: remove it or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError:  # somebody is there, who does not take us
            pass
    raise ListenError(f"{path} is served by a live process: stop it or choose another path")


def _options(settings: ListenSettings, *, is_socket: bool) -> Sequence[tuple[str, int]]:
    keepalive_timeout_ms = int(settings.keepalive_timeout * 1000)
    return (
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.message_limit),
        ("grpc.max_send_message_length", settings.message_limit + _FRAME_SLACK_BYTES),
        ("grpc.keepalive_time_ms", int(settings.keepalive_time * 1000)),
        ("grpc.keepalive_timeout_ms", keepalive_timeout_ms),
        ("grpc.http2.ping_timeout_ms", keepalive_timeout_ms),  # one minute, and it is this one that counts
        ("grpc.keepalive_permit_without_calls", 1),
        (
            "grpc.http2.min_ping_interval_without_data_ms",
            10_000,
        ),  # how often a client may ping an idle connection
        # A proxy in the pod asks twice a second whether this process still moves, and is no stranger.
        *([("grpc.http2.max_ping_strikes", 0)] if is_socket else []),
    )
