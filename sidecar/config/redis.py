"""The group `redis`: where the store that a fleet shares is, and how it is spoken to.

Nothing here connects or imports the client: `sidecar/store` does, when something asks for the store.
"""

from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from sidecar.config.checks import (
    between,
    client_certificate,
    empty_as_none,
    not_a_bool,
    one_line,
    pem_bundle,
)
from sidecar.config.faults import Unacceptable
from sidecar.config.references import PasswordReference, spelled_out
from sidecar.config.units import DURATION_PATTERN, format_duration, parse_duration, split_address
from sidecar.config.values import Slice

UNIX = "unix:"
"""What a path of a unix socket begins with among addresses."""
_ADDRESSES_MAX = 64


def _split(value: object) -> object:
    """Let a text with commas stand for a list: variables and flags have no other way to say it."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")] if value else []
    return value


def _address(value: str) -> str:
    if value.startswith(UNIX):
        if not value.removeprefix(UNIX):
            raise Unacceptable("has no path", f"write {UNIX}PATH")
        return value
    _, port = split_address(value)
    if port == 0:
        raise Unacceptable("has port 0", "write the port that Redis listens on")
    return value


def _key_prefix(value: str) -> str:
    if set("{}*?[]") & set(one_line(value)):
        raise Unacceptable("has a brace or a glob character in it", "take letters, digits, dots and colons")
    return value


CommandSeconds: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_duration),
    AfterValidator(between(0.001, 0.25, format_duration)),
    PlainSerializer(format_duration, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"type": "number"}]}),
]
"""A duration from 1 ms to 250 ms: a call waits for Redis no longer than that."""

Address: TypeAlias = Annotated[str, AfterValidator(_address)]
Password: TypeAlias = Annotated[
    PasswordReference | None, BeforeValidator(spelled_out), BeforeValidator(empty_as_none)
]
Name: TypeAlias = Annotated[Annotated[str, AfterValidator(one_line)] | None, BeforeValidator(empty_as_none)]


class RedisSettings(Slice):
    """The store that a fleet shares: limits now, and what sidecars must tell each other."""

    mode: Literal["standalone", "sentinel", "cluster"] = "standalone"
    """`standalone`: one server; `sentinel`: a master that Sentinels know; `cluster`: Redis Cluster."""
    addresses: Annotated[tuple[Address, ...], BeforeValidator(_split), Field(max_length=_ADDRESSES_MAX)] = ()
    """`host:port` of the server, of each Sentinel, or of some nodes of the cluster; a standalone server may
    be a unix socket, `unix:PATH`. Empty: no Redis. One text with commas in a variable or flag."""
    service: Name = None
    """The master's name among the Sentinels; needed with `mode: sentinel`."""
    username: Name = None
    """The ACL user. None: the default user."""
    password: Password = None
    """Where its password stands: {file: PATH} or {env: NAME}; in a variable, `file:PATH`. None: none."""
    sentinel_username: Name = None
    """The ACL user at the Sentinels, which have users of their own. None: their default user."""
    sentinel_password: Password = None
    """Where that user's password stands, as `password`."""
    tls: bool = False
    """Whether connections are TLS, those to Sentinels too. Host names are always verified."""
    ca_file: Annotated[Path | None, BeforeValidator(empty_as_none), AfterValidator(pem_bundle)] = None
    """PEM bundle of the certificate authorities to trust, in place of the system's. None: the system's."""
    cert_file: Annotated[Path | None, BeforeValidator(empty_as_none)] = None
    """PEM file of the client's certificate and chain; read again for each new connection."""
    key_file: Annotated[Path | None, BeforeValidator(empty_as_none)] = None
    """PEM file of its private key, without a passphrase."""
    prefix: Annotated[str, AfterValidator(_key_prefix)] = "gs"
    """What the names of all keys and channels begin with, followed by a colon; one for each fleet."""
    timeout: CommandSeconds = 0.25
    """Seconds for a command, and for a connection. Default, and most, 250 ms: without Redis a sidecar goes on
    with what it was granted, so it need not wait."""
    database: Annotated[int, BeforeValidator(not_a_bool), Field(ge=0, le=1_000_000)] = 0
    """Number of the database; a cluster has 0 alone."""

    @model_validator(mode="after")
    def _addresses_fit_the_mode(self) -> "RedisSettings":
        if self.mode == "standalone":
            if len(self.addresses) > 1:
                _blame("addresses", "are several, and mode is standalone", "name one, or set another mode")
        elif any(address.startswith(UNIX) for address in self.addresses):
            _blame("addresses", f"hold a unix socket, and mode is {self.mode}", "name host:port")
        return self

    @model_validator(mode="after")
    def _mode_has_what_it_needs_and_no_more(self) -> "RedisSettings":
        if self.mode == "cluster" and self.database:
            _blame("database", "is not 0, and mode is cluster", "set database: 0")
        if self.mode == "sentinel" and self.service is None:
            _blame("service", "is not set, and mode is sentinel", "name the master as the Sentinels call it")
        if self.mode != "sentinel":
            for key in ("service", "sentinel_username", "sentinel_password"):
                if getattr(self, key) is not None:
                    _blame(key, f"is set, and mode is {self.mode}", "remove it or set mode: sentinel")
        return self

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "RedisSettings":
        if (self.cert_file is None) != (self.key_file is None):
            key, other = ("key_file", "cert_file") if self.key_file else ("cert_file", "key_file")
            _blame(key, f"is set without redis.{other}", "set both or neither")
        for key in ("ca_file", "cert_file"):
            if getattr(self, key) is not None and not self.tls:
                _blame(key, "is set, and tls is off", "set redis.tls: true or remove it")
        if self.cert_file is not None and self.key_file is not None:
            try:
                client_certificate(self.cert_file, self.key_file)
            except Unacceptable as refusal:
                _blame("cert_file", refusal.reason, refusal.remedy)
        return self


def _blame(key: str, reason: str, remedy: str) -> NoReturn:
    raise Unacceptable(reason, remedy, at=(key,))
