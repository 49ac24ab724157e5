import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sidecar.v1 import call_pb2 as _call_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_STAGE_UNSPECIFIED: _ClassVar[ModelStage]
    MODEL_STAGE_UNSTABLE_EXPERIMENTAL: _ClassVar[ModelStage]
    MODEL_STAGE_EXPERIMENTAL: _ClassVar[ModelStage]
    MODEL_STAGE_PREVIEW: _ClassVar[ModelStage]
    MODEL_STAGE_STABLE: _ClassVar[ModelStage]
    MODEL_STAGE_LEGACY: _ClassVar[ModelStage]
    MODEL_STAGE_DEPRECATED: _ClassVar[ModelStage]
    MODEL_STAGE_RETIRED: _ClassVar[ModelStage]
MODEL_STAGE_UNSPECIFIED: ModelStage
MODEL_STAGE_UNSTABLE_EXPERIMENTAL: ModelStage
MODEL_STAGE_EXPERIMENTAL: ModelStage
MODEL_STAGE_PREVIEW: ModelStage
MODEL_STAGE_STABLE: ModelStage
MODEL_STAGE_LEGACY: ModelStage
MODEL_STAGE_DEPRECATED: ModelStage
MODEL_STAGE_RETIRED: ModelStage

class ListModelsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "next_page_token", "call", "extra_json")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    next_page_token: str
    call: _call_pb2.CallReport
    extra_json: str
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., call: _Optional[_Union[_call_pb2.CallReport, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: str
    def __init__(self, model: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model", "call")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    call: _call_pb2.CallReport
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ..., call: _Optional[_Union[_call_pb2.CallReport, _Mapping]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "base_model_id", "version", "version_id", "display_name", "description", "input_token_limit", "output_token_limit", "supported_generation_methods", "temperature", "max_temperature", "top_p", "top_k", "thinking", "launch_stage", "labels", "extra_json")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKEN_LIMIT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKEN_LIMIT_FIELD_NUMBER: _ClassVar[int]
    SUPPORTED_GENERATION_METHODS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    MAX_TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    THINKING_FIELD_NUMBER: _ClassVar[int]
    LAUNCH_STAGE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    base_model_id: str
    version: str
    version_id: str
    display_name: str
    description: str
    input_token_limit: int
    output_token_limit: int
    supported_generation_methods: _containers.RepeatedScalarFieldContainer[str]
    temperature: float
    max_temperature: float
    top_p: float
    top_k: int
    thinking: bool
    launch_stage: str
    labels: _containers.ScalarMap[str, str]
    extra_json: str
    def __init__(self, name: _Optional[str] = ..., base_model_id: _Optional[str] = ..., version: _Optional[str] = ..., version_id: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., input_token_limit: _Optional[int] = ..., output_token_limit: _Optional[int] = ..., supported_generation_methods: _Optional[_Iterable[str]] = ..., temperature: _Optional[float] = ..., max_temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., top_k: _Optional[int] = ..., thinking: _Optional[bool] = ..., launch_stage: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ModelStatus(_message.Message):
    __slots__ = ("message", "model_stage", "retirement_time", "extra_json")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_STAGE_FIELD_NUMBER: _ClassVar[int]
    RETIREMENT_TIME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    message: str
    model_stage: ModelStage
    retirement_time: _timestamp_pb2.Timestamp
    extra_json: str
    def __init__(self, message: _Optional[str] = ..., model_stage: _Optional[_Union[ModelStage, str]] = ..., retirement_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...
