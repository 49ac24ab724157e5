"""Settings: how this process runs, as one frozen tree.

Each group is a class of its own, so that a component is handed its slice and never the root. A field's name
is its key in the YAML file and, with its group, its environment variable: `upstream.connect_timeout` is
`SIDECAR_UPSTREAM_CONNECT_TIMEOUT`. Durations are floats in seconds, sizes ints in bytes; relative paths are
taken from the working directory.

Where values come from and which of them wins is decided in `load`; what a refusal says, in `validation`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sidecar.config.checks import (
    empty_as_none,
    installed_transport,
    loopback_address,
    network_address,
    pem_bundle,
    socket_path,
)
from sidecar.config.envoy import EnvoySettings
from sidecar.config.faults import Unacceptable
from sidecar.config.identity import IdentitySettings
from sidecar.config.redis import RedisSettings
from sidecar.config.units import format_duration, split_address
from sidecar.config.values import Count, MessageBytes, Seconds, Slice

_SCOPE_REMEDY = (
    "set limits.scope: redis, and redis.addresses, to keep limits for the whole fleet; or set "
    "limits.scope: process to accept that they are kept by this sidecar alone"
)


def _known_scope(value: object) -> object:
    if value not in ("process", "redis"):
        raise Unacceptable("is not a scope that limits can have", _SCOPE_REMEDY)
    return value


class ListenSettings(Slice):
    """The listeners. What is believed of a caller depends on the one that it came by: whoever reaches
    `address` or `socket` is the pod; on `envoy_socket` only what Envoy has proven counts.
    """

    address: Annotated[str, AfterValidator(loopback_address)] = "127.0.0.1:50051"
    """Loopback TCP, `host:port`; port 0 takes any free one. Not optional: an app in the pod dials it."""
    socket: Annotated[Path | None, BeforeValidator(empty_as_none), AfterValidator(socket_path)] = None
    """Unix socket served beside `address`, for a proxy in the pod. None: no socket. A live one is refused."""
    envoy_socket: Annotated[Path | None, BeforeValidator(empty_as_none), AfterValidator(socket_path)] = None
    """Unix socket for callers from outside the pod, whom Envoy lets in by their certificates. Mount its
    directory into the sidecar and Envoy alone: who can write to it can claim to be anybody. None: none."""
    mesh_address: Annotated[str | None, BeforeValidator(empty_as_none), AfterValidator(network_address)] = (
        None
    )
    """TCP address for callers from outside the pod where no Envoy of ours stands in front, `host:port`: they
    show a token (`identity.issuers`), or the mesh's proxy names them (`identity.mesh_header`). It is not
    encrypted: the mesh's proxy must be. None: no such listener."""
    remote_reflection: bool = False
    """Whether callers from outside the pod may ask which services there are and what they take."""
    message_limit: MessageBytes = 32 << 20
    """Bytes of the largest message either way. Default 32 MiB: Gemini takes requests up to 20 MB, and
    base64 in JSON is a third longer than bytes in protobuf. Raise it in the client too."""
    max_in_flight: Count = 1000
    """Calls held at once; the next one is shed at once with UNAVAILABLE rather than queued without bound."""
    keepalive_time: Seconds = 60.0
    """Seconds of silence before the server pings. Default 60 s: below what NAT tables and proxies keep."""
    keepalive_timeout: Seconds = 20.0
    """Seconds until an unanswered ping closes the connection and cancels its calls."""

    @model_validator(mode="after")
    def _sockets_differ(self) -> "ListenSettings":
        if self.envoy_socket is not None and self.envoy_socket == self.socket:
            raise Unacceptable(
                "is listen.socket too, whose callers are not asked who they are",
                "give each a path of its own",
                at=("envoy_socket",),
            )
        return self

    @property
    def host(self) -> str:
        """Host of `address`, without brackets."""
        return split_address(self.address)[0]

    @property
    def port(self) -> int:
        """Port of `address`; 0 stands for any free one."""
        return split_address(self.address)[1]


class DeadlineSettings(Slice):
    """How long a call may take from its arrival."""

    default: Seconds = 600.0
    """Seconds for callers that set no deadline. Default 10 min: a long thinking answer fits."""
    margin: Seconds = 0.1
    """Seconds before the caller's deadline at which we answer, so that it reads our error and not its own."""

    @model_validator(mode="after")
    def _margin_fits(self) -> "DeadlineSettings":
        if self.margin >= self.default:
            raise Unacceptable(
                f"is not shorter than deadline.default, {format_duration(self.default)}: no time is left",
                "lower deadline.margin or raise deadline.default",
                at=("margin",),
            )
        return self


class DrainSettings(Slice):
    """Leaving without dropping calls."""

    limit: Seconds = 25.0
    """Seconds that calls in flight may take to finish after SIGTERM. Default 25 s: Kubernetes grants a pod
    30, and calls that are cut are still told so. Raise `terminationGracePeriodSeconds` with it."""


class UpstreamSettings(Slice):
    """The HTTP client that asks Gemini."""

    transport: Annotated[Literal["rest", "sdk"], AfterValidator(installed_transport)] = "rest"
    """What words requests and reads answers: `rest` is our own JSON; `sdk` is google-genai, which takes ten
    times the CPU and drops reply fields that it does not know. Timeouts and connections are the same."""
    connect_timeout: Seconds = 5.0
    """Seconds for DNS, TCP and TLS of a new connection; nothing is billed before it stands."""
    first_content_timeout: Seconds = 300.0
    """Seconds from the request until a stream's first content, or the whole of an answer that is no stream.
    Default 5 min: thinking models answer late. Another endpoint may be asked when they are over."""
    idle_timeout: Seconds = 120.0
    """Seconds between two chunks of a reply; a longer silence is a dead stream."""
    total_timeout: Seconds = 3600.0
    """Seconds for one attempt whatever happens; the caller's deadline usually comes first."""
    max_connections: Count = 1000
    """Connections open at once. Default as `listen.max_in_flight`: HTTP/1.1 carries one call each."""
    keepalive: Seconds = 60.0
    """Seconds that an idle connection is kept for the next call."""
    ca_file: Annotated[Path | None, BeforeValidator(empty_as_none), AfterValidator(pem_bundle)] = None
    """PEM bundle of the certificate authorities to trust, in place of the system's. None: the system's."""


class LimitsSettings(Slice):
    """Where limits are kept."""

    scope: Annotated[Literal["process", "redis"], BeforeValidator(_known_scope)]
    """No default, because it must be said: `redis` means that limits hold for all sidecars of one Redis
    together; `process`, that they hold within this one alone and N of them may spend N times as much."""

    wait: Seconds = 30.0
    """Seconds that a call may stand in line for one limit, within its deadline. Default 30 s: callers without
    a deadline are not to wait for ever."""

    prefetch: bool = True
    """Whether a lease reaches ahead of demand, so that calls need no message. `false`: the ledger is asked
    for every call, and nothing is held that nobody waits for."""

    @model_validator(mode="before")
    @classmethod
    def _scope_is_said(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "scope" not in given:
            raise Unacceptable("is not set", _SCOPE_REMEDY, at=("scope",))
        return given


class AuditSettings(Slice):
    """The trail of what somebody may have to account for: denials, administration, changes of the Policy."""

    file: Annotated[Path | None, BeforeValidator(empty_as_none)] = None
    """The file that it is appended to, one JSON object a line. None: no trail is kept."""
    size_limit: MessageBytes = 64 << 20
    """Bytes above which the file becomes `FILE.1` and another is begun. Default 64 MiB: 150,000 records."""
    keep: Count = 8
    """How many files are kept beside the current one; the oldest goes."""


class PolicySettings(Slice):
    """Where the Policy is."""

    file: Annotated[Path | None, BeforeValidator(empty_as_none)] = None
    """YAML file of the Policy. None: one Gemini project from GOOGLE_API_KEY or GEMINI_API_KEY."""
    poll: Seconds = 1.0
    """Seconds between two looks at the file and the key files that it names. Looking is a `stat` of each."""


class TelemetrySettings(Slice):
    """What an operator sees."""

    address: Annotated[str | None, BeforeValidator(empty_as_none), AfterValidator(network_address)] = (
        "127.0.0.1:9464"
    )
    """HTTP port of /metrics, /healthz and /readyz, `host:port`; any host, because Prometheus scrapes the
    pod's. None or empty: no such port."""
    log_format: Literal["auto", "json", "human"] = "auto"
    """`json` is one object a line; `human` is for reading; `auto` is human on a terminal, else JSON."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written. Each call is one line at `info`."""

    @property
    def host(self) -> str:
        """Host of `address`, without brackets; empty when there is no port."""
        return split_address(self.address)[0] if self.address else ""

    @property
    def port(self) -> int:
        """Port of `address`; 0 stands for any free one, or for none without an address."""
        return split_address(self.address)[1] if self.address else 0


class Settings(Slice):
    """The root: read by the composition root alone, which hands each component its slice."""

    listen: ListenSettings = Field(default_factory=ListenSettings)
    """The local listeners."""
    deadline: DeadlineSettings = Field(default_factory=DeadlineSettings)
    """How long a call may take."""
    drain: DrainSettings = Field(default_factory=DrainSettings)
    """Leaving without dropping calls."""
    upstream: UpstreamSettings = Field(default_factory=UpstreamSettings)
    """The HTTP client that asks Gemini."""
    limits: LimitsSettings
    """Where limits are kept; required."""
    redis: RedisSettings = Field(default_factory=RedisSettings)
    """The store that a fleet shares."""
    identity: IdentitySettings = Field(default_factory=IdentitySettings)
    """What callers are called, and whose word about them is believed."""
    envoy: EnvoySettings = Field(default_factory=EnvoySettings)
    """What the Envoy beside this sidecar is told."""
    audit: AuditSettings = Field(default_factory=AuditSettings)
    """What somebody may have to account for."""
    policy: PolicySettings = Field(default_factory=PolicySettings)
    """Where the Policy is."""
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
    """What an operator sees."""

    @model_validator(mode="after")
    def _ports_differ(self) -> "Settings":
        if self.listen.port and self.listen.port == self.telemetry.port:
            raise Unacceptable(
                f"takes the port of listen.address, {self.listen.port}",
                "give one of them another port",
                at=("telemetry", "address"),
            )
        return self

    @model_validator(mode="after")
    def _mesh_callers_can_be_known(self) -> "Settings":
        if self.listen.mesh_address and not (self.identity.issuers or self.identity.mesh_header):
            raise Unacceptable(
                "is set, but nothing can tell who calls there",
                "set identity.issuers, whose tokens callers show, or identity.mesh_header",
                at=("listen", "mesh_address"),
            )
        return self

    @model_validator(mode="after")
    def _peers_have_a_bulletin(self) -> "Settings":
        if self.envoy.peers == "bulletin":
            if self.limits.scope != "redis":
                raise Unacceptable(
                    "is bulletin, and limits.scope is process: there is no Redis to tell of peers",
                    "set limits.scope: redis, or take envoy.peers: dns",
                    at=("envoy", "peers"),
                )
            if self.envoy.directory is None:
                raise Unacceptable(
                    "is not set, and envoy.peers is bulletin: peers are written down there",
                    "set envoy.directory to one that Envoy and the sidecar share",
                    at=("envoy", "directory"),
                )
        return self

    @model_validator(mode="after")
    def _scope_has_its_store(self) -> "Settings":
        if self.limits.scope == "redis" and not self.redis.addresses:
            raise Unacceptable(
                "is empty, and limits.scope is redis",
                "name the Redis servers: redis.addresses, SIDECAR_REDIS_ADDRESSES or --redis; or set "
                "limits.scope: process to accept that limits are kept by this sidecar alone",
                at=("redis", "addresses"),
            )
        return self
