import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sidecar.v1 import call_pb2 as _call_pb2
from sidecar.v1 import candidate_pb2 as _candidate_pb2
from sidecar.v1 import content_pb2 as _content_pb2
from sidecar.v1 import generation_config_pb2 as _generation_config_pb2
from sidecar.v1 import model_pb2 as _model_pb2
from sidecar.v1 import safety_pb2 as _safety_pb2
from sidecar.v1 import tool_pb2 as _tool_pb2
from sidecar.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateRequest(_message.Message):
    __slots__ = ("model", "prompt", "contents", "system_instruction", "generation_config", "safety_settings", "tools", "tool_config", "cached_content", "labels", "service_tier", "continuation_token", "store", "model_armor_config", "allow_fallback", "project", "extra_json")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    SAFETY_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    TOOL_CONFIG_FIELD_NUMBER: _ClassVar[int]
    CACHED_CONTENT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIER_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    MODEL_ARMOR_CONFIG_FIELD_NUMBER: _ClassVar[int]
    ALLOW_FALLBACK_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    model: str
    prompt: str
    contents: _containers.RepeatedCompositeFieldContainer[_content_pb2.Content]
    system_instruction: _content_pb2.Content
    generation_config: _generation_config_pb2.GenerationConfig
    safety_settings: _containers.RepeatedCompositeFieldContainer[_safety_pb2.SafetySetting]
    tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.Tool]
    tool_config: _tool_pb2.ToolConfig
    cached_content: str
    labels: _containers.ScalarMap[str, str]
    service_tier: _usage_pb2.ServiceTier
    continuation_token: bytes
    store: bool
    model_armor_config: _safety_pb2.ModelArmorConfig
    allow_fallback: bool
    project: str
    extra_json: str
    def __init__(self, model: _Optional[str] = ..., prompt: _Optional[str] = ..., contents: _Optional[_Iterable[_Union[_content_pb2.Content, _Mapping]]] = ..., system_instruction: _Optional[_Union[_content_pb2.Content, _Mapping]] = ..., generation_config: _Optional[_Union[_generation_config_pb2.GenerationConfig, _Mapping]] = ..., safety_settings: _Optional[_Iterable[_Union[_safety_pb2.SafetySetting, _Mapping]]] = ..., tools: _Optional[_Iterable[_Union[_tool_pb2.Tool, _Mapping]]] = ..., tool_config: _Optional[_Union[_tool_pb2.ToolConfig, _Mapping]] = ..., cached_content: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., service_tier: _Optional[_Union[_usage_pb2.ServiceTier, str]] = ..., continuation_token: _Optional[bytes] = ..., store: _Optional[bool] = ..., model_armor_config: _Optional[_Union[_safety_pb2.ModelArmorConfig, _Mapping]] = ..., allow_fallback: _Optional[bool] = ..., project: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("candidates", "prompt_feedback", "usage_metadata", "model_version", "response_id", "create_time", "model_status", "call", "extra_json")
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    USAGE_METADATA_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    MODEL_STATUS_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[_candidate_pb2.Candidate]
    prompt_feedback: _safety_pb2.PromptFeedback
    usage_metadata: _usage_pb2.UsageMetadata
    model_version: str
    response_id: str
    create_time: _timestamp_pb2.Timestamp
    model_status: _model_pb2.ModelStatus
    call: _call_pb2.CallReport
    extra_json: str
    def __init__(self, candidates: _Optional[_Iterable[_Union[_candidate_pb2.Candidate, _Mapping]]] = ..., prompt_feedback: _Optional[_Union[_safety_pb2.PromptFeedback, _Mapping]] = ..., usage_metadata: _Optional[_Union[_usage_pb2.UsageMetadata, _Mapping]] = ..., model_version: _Optional[str] = ..., response_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., model_status: _Optional[_Union[_model_pb2.ModelStatus, _Mapping]] = ..., call: _Optional[_Union[_call_pb2.CallReport, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class StreamGenerateRequest(_message.Message):
    __slots__ = ("model", "prompt", "contents", "system_instruction", "generation_config", "safety_settings", "tools", "tool_config", "cached_content", "labels", "service_tier", "continuation_token", "store", "model_armor_config", "allow_fallback", "project", "extra_json")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    SAFETY_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    TOOL_CONFIG_FIELD_NUMBER: _ClassVar[int]
    CACHED_CONTENT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIER_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    MODEL_ARMOR_CONFIG_FIELD_NUMBER: _ClassVar[int]
    ALLOW_FALLBACK_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    model: str
    prompt: str
    contents: _containers.RepeatedCompositeFieldContainer[_content_pb2.Content]
    system_instruction: _content_pb2.Content
    generation_config: _generation_config_pb2.GenerationConfig
    safety_settings: _containers.RepeatedCompositeFieldContainer[_safety_pb2.SafetySetting]
    tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.Tool]
    tool_config: _tool_pb2.ToolConfig
    cached_content: str
    labels: _containers.ScalarMap[str, str]
    service_tier: _usage_pb2.ServiceTier
    continuation_token: bytes
    store: bool
    model_armor_config: _safety_pb2.ModelArmorConfig
    allow_fallback: bool
    project: str
    extra_json: str
    def __init__(self, model: _Optional[str] = ..., prompt: _Optional[str] = ..., contents: _Optional[_Iterable[_Union[_content_pb2.Content, _Mapping]]] = ..., system_instruction: _Optional[_Union[_content_pb2.Content, _Mapping]] = ..., generation_config: _Optional[_Union[_generation_config_pb2.GenerationConfig, _Mapping]] = ..., safety_settings: _Optional[_Iterable[_Union[_safety_pb2.SafetySetting, _Mapping]]] = ..., tools: _Optional[_Iterable[_Union[_tool_pb2.Tool, _Mapping]]] = ..., tool_config: _Optional[_Union[_tool_pb2.ToolConfig, _Mapping]] = ..., cached_content: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., service_tier: _Optional[_Union[_usage_pb2.ServiceTier, str]] = ..., continuation_token: _Optional[bytes] = ..., store: _Optional[bool] = ..., model_armor_config: _Optional[_Union[_safety_pb2.ModelArmorConfig, _Mapping]] = ..., allow_fallback: _Optional[bool] = ..., project: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class StreamGenerateResponse(_message.Message):
    __slots__ = ("candidates", "prompt_feedback", "usage_metadata", "model_version", "response_id", "create_time", "model_status", "call", "extra_json")
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    USAGE_METADATA_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    MODEL_STATUS_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[_candidate_pb2.Candidate]
    prompt_feedback: _safety_pb2.PromptFeedback
    usage_metadata: _usage_pb2.UsageMetadata
    model_version: str
    response_id: str
    create_time: _timestamp_pb2.Timestamp
    model_status: _model_pb2.ModelStatus
    call: _call_pb2.CallReport
    extra_json: str
    def __init__(self, candidates: _Optional[_Iterable[_Union[_candidate_pb2.Candidate, _Mapping]]] = ..., prompt_feedback: _Optional[_Union[_safety_pb2.PromptFeedback, _Mapping]] = ..., usage_metadata: _Optional[_Union[_usage_pb2.UsageMetadata, _Mapping]] = ..., model_version: _Optional[str] = ..., response_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., model_status: _Optional[_Union[_model_pb2.ModelStatus, _Mapping]] = ..., call: _Optional[_Union[_call_pb2.CallReport, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...
