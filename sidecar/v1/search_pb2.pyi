import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DynamicRetrievalMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DYNAMIC_RETRIEVAL_MODE_UNSPECIFIED: _ClassVar[DynamicRetrievalMode]
    DYNAMIC_RETRIEVAL_MODE_MODE_DYNAMIC: _ClassVar[DynamicRetrievalMode]

class PhishBlockThreshold(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PHISH_BLOCK_THRESHOLD_UNSPECIFIED: _ClassVar[PhishBlockThreshold]
    PHISH_BLOCK_THRESHOLD_BLOCK_LOW_AND_ABOVE: _ClassVar[PhishBlockThreshold]
    PHISH_BLOCK_THRESHOLD_BLOCK_MEDIUM_AND_ABOVE: _ClassVar[PhishBlockThreshold]
    PHISH_BLOCK_THRESHOLD_BLOCK_HIGH_AND_ABOVE: _ClassVar[PhishBlockThreshold]
    PHISH_BLOCK_THRESHOLD_BLOCK_HIGHER_AND_ABOVE: _ClassVar[PhishBlockThreshold]
    PHISH_BLOCK_THRESHOLD_BLOCK_VERY_HIGH_AND_ABOVE: _ClassVar[PhishBlockThreshold]
    PHISH_BLOCK_THRESHOLD_BLOCK_ONLY_EXTREMELY_HIGH: _ClassVar[PhishBlockThreshold]
DYNAMIC_RETRIEVAL_MODE_UNSPECIFIED: DynamicRetrievalMode
DYNAMIC_RETRIEVAL_MODE_MODE_DYNAMIC: DynamicRetrievalMode
PHISH_BLOCK_THRESHOLD_UNSPECIFIED: PhishBlockThreshold
PHISH_BLOCK_THRESHOLD_BLOCK_LOW_AND_ABOVE: PhishBlockThreshold
PHISH_BLOCK_THRESHOLD_BLOCK_MEDIUM_AND_ABOVE: PhishBlockThreshold
PHISH_BLOCK_THRESHOLD_BLOCK_HIGH_AND_ABOVE: PhishBlockThreshold
PHISH_BLOCK_THRESHOLD_BLOCK_HIGHER_AND_ABOVE: PhishBlockThreshold
PHISH_BLOCK_THRESHOLD_BLOCK_VERY_HIGH_AND_ABOVE: PhishBlockThreshold
PHISH_BLOCK_THRESHOLD_BLOCK_ONLY_EXTREMELY_HIGH: PhishBlockThreshold

class GoogleSearch(_message.Message):
    __slots__ = ("search_types", "blocking_confidence", "exclude_domains", "time_range_filter", "extra_json")
    SEARCH_TYPES_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_DOMAINS_FIELD_NUMBER: _ClassVar[int]
    TIME_RANGE_FILTER_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    search_types: SearchTypes
    blocking_confidence: PhishBlockThreshold
    exclude_domains: _containers.RepeatedScalarFieldContainer[str]
    time_range_filter: Interval
    extra_json: str
    def __init__(self, search_types: _Optional[_Union[SearchTypes, _Mapping]] = ..., blocking_confidence: _Optional[_Union[PhishBlockThreshold, str]] = ..., exclude_domains: _Optional[_Iterable[str]] = ..., time_range_filter: _Optional[_Union[Interval, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class SearchTypes(_message.Message):
    __slots__ = ("web_search", "image_search", "extra_json")
    WEB_SEARCH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SEARCH_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    web_search: WebSearch
    image_search: ImageSearch
    extra_json: str
    def __init__(self, web_search: _Optional[_Union[WebSearch, _Mapping]] = ..., image_search: _Optional[_Union[ImageSearch, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class WebSearch(_message.Message):
    __slots__ = ("extra_json",)
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    extra_json: str
    def __init__(self, extra_json: _Optional[str] = ...) -> None: ...

class ImageSearch(_message.Message):
    __slots__ = ("extra_json",)
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    extra_json: str
    def __init__(self, extra_json: _Optional[str] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("start_time", "end_time", "extra_json")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    extra_json: str
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class GoogleSearchRetrieval(_message.Message):
    __slots__ = ("dynamic_retrieval_config", "extra_json")
    DYNAMIC_RETRIEVAL_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    dynamic_retrieval_config: DynamicRetrievalConfig
    extra_json: str
    def __init__(self, dynamic_retrieval_config: _Optional[_Union[DynamicRetrievalConfig, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class DynamicRetrievalConfig(_message.Message):
    __slots__ = ("mode", "dynamic_threshold", "extra_json")
    MODE_FIELD_NUMBER: _ClassVar[int]
    DYNAMIC_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mode: DynamicRetrievalMode
    dynamic_threshold: float
    extra_json: str
    def __init__(self, mode: _Optional[_Union[DynamicRetrievalMode, str]] = ..., dynamic_threshold: _Optional[float] = ..., extra_json: _Optional[str] = ...) -> None: ...

class GoogleMaps(_message.Message):
    __slots__ = ("enable_widget", "grounding_types", "auth_config", "extra_json")
    ENABLE_WIDGET_FIELD_NUMBER: _ClassVar[int]
    GROUNDING_TYPES_FIELD_NUMBER: _ClassVar[int]
    AUTH_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    enable_widget: bool
    grounding_types: GoogleMapsGroundingTypes
    auth_config: AuthConfig
    extra_json: str
    def __init__(self, enable_widget: _Optional[bool] = ..., grounding_types: _Optional[_Union[GoogleMapsGroundingTypes, _Mapping]] = ..., auth_config: _Optional[_Union[AuthConfig, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class GoogleMapsGroundingTypes(_message.Message):
    __slots__ = ("places", "routing", "extra_json")
    PLACES_FIELD_NUMBER: _ClassVar[int]
    ROUTING_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    places: GoogleMapsPlaces
    routing: GoogleMapsRouting
    extra_json: str
    def __init__(self, places: _Optional[_Union[GoogleMapsPlaces, _Mapping]] = ..., routing: _Optional[_Union[GoogleMapsRouting, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class GoogleMapsPlaces(_message.Message):
    __slots__ = ("extra_json",)
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    extra_json: str
    def __init__(self, extra_json: _Optional[str] = ...) -> None: ...

class GoogleMapsRouting(_message.Message):
    __slots__ = ("extra_json",)
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    extra_json: str
    def __init__(self, extra_json: _Optional[str] = ...) -> None: ...

class AuthConfig(_message.Message):
    __slots__ = ("api_key", "extra_json")
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    api_key: str
    extra_json: str
    def __init__(self, api_key: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class EnterpriseWebSearch(_message.Message):
    __slots__ = ("blocking_confidence", "exclude_domains", "extra_json")
    BLOCKING_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_DOMAINS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    blocking_confidence: PhishBlockThreshold
    exclude_domains: _containers.RepeatedScalarFieldContainer[str]
    extra_json: str
    def __init__(self, blocking_confidence: _Optional[_Union[PhishBlockThreshold, str]] = ..., exclude_domains: _Optional[_Iterable[str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ParallelAiSearch(_message.Message):
    __slots__ = ("api_key", "custom_configs_json", "enable_zero_data_retention", "extra_json")
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_CONFIGS_JSON_FIELD_NUMBER: _ClassVar[int]
    ENABLE_ZERO_DATA_RETENTION_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    api_key: str
    custom_configs_json: str
    enable_zero_data_retention: bool
    extra_json: str
    def __init__(self, api_key: _Optional[str] = ..., custom_configs_json: _Optional[str] = ..., enable_zero_data_retention: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ExaAiSearch(_message.Message):
    __slots__ = ("api_key", "custom_configs_json", "extra_json")
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_CONFIGS_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    api_key: str
    custom_configs_json: str
    extra_json: str
    def __init__(self, api_key: _Optional[str] = ..., custom_configs_json: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...
