import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from sidecar.v1 import quota_pb2 as _quota_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SidecarHealth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDECAR_HEALTH_UNSPECIFIED: _ClassVar[SidecarHealth]
    SIDECAR_HEALTH_SERVING: _ClassVar[SidecarHealth]
    SIDECAR_HEALTH_DRAINING: _ClassVar[SidecarHealth]
SIDECAR_HEALTH_UNSPECIFIED: SidecarHealth
SIDECAR_HEALTH_SERVING: SidecarHealth
SIDECAR_HEALTH_DRAINING: SidecarHealth

class DrainRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DrainResponse(_message.Message):
    __slots__ = ("in_flight",)
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    in_flight: int
    def __init__(self, in_flight: _Optional[int] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("interval",)
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    interval: _duration_pb2.Duration
    def __init__(self, interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("health", "in_flight", "policy_digest", "limits_mode")
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    POLICY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LIMITS_MODE_FIELD_NUMBER: _ClassVar[int]
    health: SidecarHealth
    in_flight: int
    policy_digest: str
    limits_mode: _quota_pb2.LimitsMode
    def __init__(self, health: _Optional[_Union[SidecarHealth, str]] = ..., in_flight: _Optional[int] = ..., policy_digest: _Optional[str] = ..., limits_mode: _Optional[_Union[_quota_pb2.LimitsMode, str]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("model", "method", "features", "tier", "max_output_tokens")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    model: str
    method: str
    features: _containers.RepeatedScalarFieldContainer[str]
    tier: str
    max_output_tokens: int
    def __init__(self, model: _Optional[str] = ..., method: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., tier: _Optional[str] = ..., max_output_tokens: _Optional[int] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("principal", "tenant", "subject", "scopes", "listener", "allowed", "rule")
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    principal: str
    tenant: str
    subject: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    listener: str
    allowed: bool
    rule: str
    def __init__(self, principal: _Optional[str] = ..., tenant: _Optional[str] = ..., subject: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., listener: _Optional[str] = ..., allowed: _Optional[bool] = ..., rule: _Optional[str] = ...) -> None: ...
