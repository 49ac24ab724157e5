import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GroupKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GROUP_KIND_UNSPECIFIED: _ClassVar[GroupKind]
    GROUP_KIND_QUOTA: _ClassVar[GroupKind]
    GROUP_KIND_BUDGET: _ClassVar[GroupKind]

class LimitsMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMITS_MODE_UNSPECIFIED: _ClassVar[LimitsMode]
    LIMITS_MODE_NORMAL: _ClassVar[LimitsMode]
    LIMITS_MODE_LEARNING: _ClassVar[LimitsMode]
    LIMITS_MODE_LEASE: _ClassVar[LimitsMode]
    LIMITS_MODE_SHARE: _ClassVar[LimitsMode]
    LIMITS_MODE_OPEN: _ClassVar[LimitsMode]
    LIMITS_MODE_CLOSED: _ClassVar[LimitsMode]

class LimitUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_UNIT_UNSPECIFIED: _ClassVar[LimitUnit]
    LIMIT_UNIT_REQUESTS: _ClassVar[LimitUnit]
    LIMIT_UNIT_INPUT_TOKENS: _ClassVar[LimitUnit]
    LIMIT_UNIT_TOKENS: _ClassVar[LimitUnit]
    LIMIT_UNIT_MONEY: _ClassVar[LimitUnit]
    LIMIT_UNIT_CALLS: _ClassVar[LimitUnit]

class CalendarPeriod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALENDAR_PERIOD_UNSPECIFIED: _ClassVar[CalendarPeriod]
    CALENDAR_PERIOD_HOUR: _ClassVar[CalendarPeriod]
    CALENDAR_PERIOD_DAY: _ClassVar[CalendarPeriod]
    CALENDAR_PERIOD_MONTH: _ClassVar[CalendarPeriod]
GROUP_KIND_UNSPECIFIED: GroupKind
GROUP_KIND_QUOTA: GroupKind
GROUP_KIND_BUDGET: GroupKind
LIMITS_MODE_UNSPECIFIED: LimitsMode
LIMITS_MODE_NORMAL: LimitsMode
LIMITS_MODE_LEARNING: LimitsMode
LIMITS_MODE_LEASE: LimitsMode
LIMITS_MODE_SHARE: LimitsMode
LIMITS_MODE_OPEN: LimitsMode
LIMITS_MODE_CLOSED: LimitsMode
LIMIT_UNIT_UNSPECIFIED: LimitUnit
LIMIT_UNIT_REQUESTS: LimitUnit
LIMIT_UNIT_INPUT_TOKENS: LimitUnit
LIMIT_UNIT_TOKENS: LimitUnit
LIMIT_UNIT_MONEY: LimitUnit
LIMIT_UNIT_CALLS: LimitUnit
CALENDAR_PERIOD_UNSPECIFIED: CalendarPeriod
CALENDAR_PERIOD_HOUR: CalendarPeriod
CALENDAR_PERIOD_DAY: CalendarPeriod
CALENDAR_PERIOD_MONTH: CalendarPeriod

class GetQuotaRequest(_message.Message):
    __slots__ = ("group_prefixes",)
    GROUP_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    group_prefixes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group_prefixes: _Optional[_Iterable[str]] = ...) -> None: ...

class GetQuotaResponse(_message.Message):
    __slots__ = ("groups",)
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[LimitGroup]
    def __init__(self, groups: _Optional[_Iterable[_Union[LimitGroup, _Mapping]]] = ...) -> None: ...

class WatchQuotaRequest(_message.Message):
    __slots__ = ("group_prefixes", "interval")
    GROUP_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    group_prefixes: _containers.RepeatedScalarFieldContainer[str]
    interval: _duration_pb2.Duration
    def __init__(self, group_prefixes: _Optional[_Iterable[str]] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WatchQuotaResponse(_message.Message):
    __slots__ = ("groups",)
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[LimitGroup]
    def __init__(self, groups: _Optional[_Iterable[_Union[LimitGroup, _Mapping]]] = ...) -> None: ...

class LimitGroup(_message.Message):
    __slots__ = ("name", "kind", "mode", "trouble", "holders", "waiting_calls", "blocked_for", "age", "limits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    TROUBLE_FIELD_NUMBER: _ClassVar[int]
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    WAITING_CALLS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FOR_FIELD_NUMBER: _ClassVar[int]
    AGE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: GroupKind
    mode: LimitsMode
    trouble: str
    holders: int
    waiting_calls: int
    blocked_for: _duration_pb2.Duration
    age: _duration_pb2.Duration
    limits: _containers.RepeatedCompositeFieldContainer[Limit]
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[GroupKind, str]] = ..., mode: _Optional[_Union[LimitsMode, str]] = ..., trouble: _Optional[str] = ..., holders: _Optional[int] = ..., waiting_calls: _Optional[int] = ..., blocked_for: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., limits: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ("name", "unit", "amount", "rolling", "calendar", "is_shadow", "level", "denials", "shadow_denials")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ROLLING_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    IS_SHADOW_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    DENIALS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_DENIALS_FIELD_NUMBER: _ClassVar[int]
    name: str
    unit: LimitUnit
    amount: int
    rolling: _duration_pb2.Duration
    calendar: CalendarPeriod
    is_shadow: bool
    level: LimitLevel
    denials: int
    shadow_denials: int
    def __init__(self, name: _Optional[str] = ..., unit: _Optional[_Union[LimitUnit, str]] = ..., amount: _Optional[int] = ..., rolling: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., calendar: _Optional[_Union[CalendarPeriod, str]] = ..., is_shadow: _Optional[bool] = ..., level: _Optional[_Union[LimitLevel, _Mapping]] = ..., denials: _Optional[int] = ..., shadow_denials: _Optional[int] = ...) -> None: ...

class LimitLevel(_message.Message):
    __slots__ = ("used", "held", "available", "amount", "factor")
    USED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    used: int
    held: int
    available: int
    amount: int
    factor: float
    def __init__(self, used: _Optional[int] = ..., held: _Optional[int] = ..., available: _Optional[int] = ..., amount: _Optional[int] = ..., factor: _Optional[float] = ...) -> None: ...
