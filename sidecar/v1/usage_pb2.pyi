from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MediaModality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEDIA_MODALITY_UNSPECIFIED: _ClassVar[MediaModality]
    MEDIA_MODALITY_TEXT: _ClassVar[MediaModality]
    MEDIA_MODALITY_IMAGE: _ClassVar[MediaModality]
    MEDIA_MODALITY_VIDEO: _ClassVar[MediaModality]
    MEDIA_MODALITY_AUDIO: _ClassVar[MediaModality]
    MEDIA_MODALITY_DOCUMENT: _ClassVar[MediaModality]

class TrafficType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAFFIC_TYPE_UNSPECIFIED: _ClassVar[TrafficType]
    TRAFFIC_TYPE_ON_DEMAND: _ClassVar[TrafficType]
    TRAFFIC_TYPE_ON_DEMAND_PRIORITY: _ClassVar[TrafficType]
    TRAFFIC_TYPE_ON_DEMAND_FLEX: _ClassVar[TrafficType]
    TRAFFIC_TYPE_ON_DEMAND_OFFPEAK: _ClassVar[TrafficType]
    TRAFFIC_TYPE_PROVISIONED_THROUGHPUT: _ClassVar[TrafficType]

class ServiceTier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_TIER_UNSPECIFIED: _ClassVar[ServiceTier]
    SERVICE_TIER_FLEX: _ClassVar[ServiceTier]
    SERVICE_TIER_STANDARD: _ClassVar[ServiceTier]
    SERVICE_TIER_PRIORITY: _ClassVar[ServiceTier]
MEDIA_MODALITY_UNSPECIFIED: MediaModality
MEDIA_MODALITY_TEXT: MediaModality
MEDIA_MODALITY_IMAGE: MediaModality
MEDIA_MODALITY_VIDEO: MediaModality
MEDIA_MODALITY_AUDIO: MediaModality
MEDIA_MODALITY_DOCUMENT: MediaModality
TRAFFIC_TYPE_UNSPECIFIED: TrafficType
TRAFFIC_TYPE_ON_DEMAND: TrafficType
TRAFFIC_TYPE_ON_DEMAND_PRIORITY: TrafficType
TRAFFIC_TYPE_ON_DEMAND_FLEX: TrafficType
TRAFFIC_TYPE_ON_DEMAND_OFFPEAK: TrafficType
TRAFFIC_TYPE_PROVISIONED_THROUGHPUT: TrafficType
SERVICE_TIER_UNSPECIFIED: ServiceTier
SERVICE_TIER_FLEX: ServiceTier
SERVICE_TIER_STANDARD: ServiceTier
SERVICE_TIER_PRIORITY: ServiceTier

class UsageMetadata(_message.Message):
    __slots__ = ("prompt_token_count", "cached_content_token_count", "candidates_token_count", "thoughts_token_count", "tool_use_prompt_token_count", "total_token_count", "prompt_tokens_details", "cache_tokens_details", "candidates_tokens_details", "tool_use_prompt_tokens_details", "traffic_type", "service_tier", "extra_json")
    PROMPT_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    CACHED_CONTENT_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    THOUGHTS_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOOL_USE_PROMPT_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_DETAILS_FIELD_NUMBER: _ClassVar[int]
    CACHE_TOKENS_DETAILS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_TOKENS_DETAILS_FIELD_NUMBER: _ClassVar[int]
    TOOL_USE_PROMPT_TOKENS_DETAILS_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_TYPE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIER_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    prompt_token_count: int
    cached_content_token_count: int
    candidates_token_count: int
    thoughts_token_count: int
    tool_use_prompt_token_count: int
    total_token_count: int
    prompt_tokens_details: _containers.RepeatedCompositeFieldContainer[ModalityTokenCount]
    cache_tokens_details: _containers.RepeatedCompositeFieldContainer[ModalityTokenCount]
    candidates_tokens_details: _containers.RepeatedCompositeFieldContainer[ModalityTokenCount]
    tool_use_prompt_tokens_details: _containers.RepeatedCompositeFieldContainer[ModalityTokenCount]
    traffic_type: TrafficType
    service_tier: ServiceTier
    extra_json: str
    def __init__(self, prompt_token_count: _Optional[int] = ..., cached_content_token_count: _Optional[int] = ..., candidates_token_count: _Optional[int] = ..., thoughts_token_count: _Optional[int] = ..., tool_use_prompt_token_count: _Optional[int] = ..., total_token_count: _Optional[int] = ..., prompt_tokens_details: _Optional[_Iterable[_Union[ModalityTokenCount, _Mapping]]] = ..., cache_tokens_details: _Optional[_Iterable[_Union[ModalityTokenCount, _Mapping]]] = ..., candidates_tokens_details: _Optional[_Iterable[_Union[ModalityTokenCount, _Mapping]]] = ..., tool_use_prompt_tokens_details: _Optional[_Iterable[_Union[ModalityTokenCount, _Mapping]]] = ..., traffic_type: _Optional[_Union[TrafficType, str]] = ..., service_tier: _Optional[_Union[ServiceTier, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ModalityTokenCount(_message.Message):
    __slots__ = ("modality", "token_count", "extra_json")
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    modality: MediaModality
    token_count: int
    extra_json: str
    def __init__(self, modality: _Optional[_Union[MediaModality, str]] = ..., token_count: _Optional[int] = ..., extra_json: _Optional[str] = ...) -> None: ...
