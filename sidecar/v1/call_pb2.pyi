import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from sidecar.v1 import error_pb2 as _error_pb2
from sidecar.v1 import quota_pb2 as _quota_pb2
from sidecar.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttemptKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_KIND_UNSPECIFIED: _ClassVar[AttemptKind]
    ATTEMPT_KIND_FIRST: _ClassVar[AttemptKind]
    ATTEMPT_KIND_RETRY: _ClassVar[AttemptKind]
    ATTEMPT_KIND_HEDGE: _ClassVar[AttemptKind]
    ATTEMPT_KIND_FALLBACK: _ClassVar[AttemptKind]
ATTEMPT_KIND_UNSPECIFIED: AttemptKind
ATTEMPT_KIND_FIRST: AttemptKind
ATTEMPT_KIND_RETRY: AttemptKind
ATTEMPT_KIND_HEDGE: AttemptKind
ATTEMPT_KIND_FALLBACK: AttemptKind

class CallReport(_message.Message):
    __slots__ = ("request_id", "served", "attempts", "queue_time", "cost", "limits", "rewrites")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SERVED_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIME_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    REWRITES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    served: ServedBy
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    queue_time: _duration_pb2.Duration
    cost: Cost
    limits: _quota_pb2.LimitsMode
    rewrites: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., served: _Optional[_Union[ServedBy, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., queue_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cost: _Optional[_Union[Cost, _Mapping]] = ..., limits: _Optional[_Union[_quota_pb2.LimitsMode, str]] = ..., rewrites: _Optional[_Iterable[str]] = ...) -> None: ...

class Cost(_message.Message):
    __slots__ = ("micro_dollars", "is_priced")
    MICRO_DOLLARS_FIELD_NUMBER: _ClassVar[int]
    IS_PRICED_FIELD_NUMBER: _ClassVar[int]
    micro_dollars: int
    is_priced: bool
    def __init__(self, micro_dollars: _Optional[int] = ..., is_priced: _Optional[bool] = ...) -> None: ...

class ServedBy(_message.Message):
    __slots__ = ("project", "location", "model", "service_tier")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIER_FIELD_NUMBER: _ClassVar[int]
    project: str
    location: str
    model: str
    service_tier: _usage_pb2.ServiceTier
    def __init__(self, project: _Optional[str] = ..., location: _Optional[str] = ..., model: _Optional[str] = ..., service_tier: _Optional[_Union[_usage_pb2.ServiceTier, str]] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("number", "project", "location", "status", "latency", "model", "kind", "reason")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    number: int
    project: str
    location: str
    status: str
    latency: _duration_pb2.Duration
    model: str
    kind: AttemptKind
    reason: _error_pb2.ErrorReason
    def __init__(self, number: _Optional[int] = ..., project: _Optional[str] = ..., location: _Optional[str] = ..., status: _Optional[str] = ..., latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., model: _Optional[str] = ..., kind: _Optional[_Union[AttemptKind, str]] = ..., reason: _Optional[_Union[_error_pb2.ErrorReason, str]] = ...) -> None: ...
