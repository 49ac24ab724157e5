from sidecar.v1 import call_pb2 as _call_pb2
from sidecar.v1 import content_pb2 as _content_pb2
from sidecar.v1 import generation_config_pb2 as _generation_config_pb2
from sidecar.v1 import tool_pb2 as _tool_pb2
from sidecar.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CountTokensRequest(_message.Message):
    __slots__ = ("model", "prompt", "contents", "system_instruction", "tools", "generation_config", "project", "extra_json")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    model: str
    prompt: str
    contents: _containers.RepeatedCompositeFieldContainer[_content_pb2.Content]
    system_instruction: _content_pb2.Content
    tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.Tool]
    generation_config: _generation_config_pb2.GenerationConfig
    project: str
    extra_json: str
    def __init__(self, model: _Optional[str] = ..., prompt: _Optional[str] = ..., contents: _Optional[_Iterable[_Union[_content_pb2.Content, _Mapping]]] = ..., system_instruction: _Optional[_Union[_content_pb2.Content, _Mapping]] = ..., tools: _Optional[_Iterable[_Union[_tool_pb2.Tool, _Mapping]]] = ..., generation_config: _Optional[_Union[_generation_config_pb2.GenerationConfig, _Mapping]] = ..., project: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class CountTokensResponse(_message.Message):
    __slots__ = ("total_tokens", "cached_content_token_count", "prompt_tokens_details", "cache_tokens_details", "total_billable_characters", "call", "extra_json")
    TOTAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_CONTENT_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_DETAILS_FIELD_NUMBER: _ClassVar[int]
    CACHE_TOKENS_DETAILS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BILLABLE_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    total_tokens: int
    cached_content_token_count: int
    prompt_tokens_details: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ModalityTokenCount]
    cache_tokens_details: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ModalityTokenCount]
    total_billable_characters: int
    call: _call_pb2.CallReport
    extra_json: str
    def __init__(self, total_tokens: _Optional[int] = ..., cached_content_token_count: _Optional[int] = ..., prompt_tokens_details: _Optional[_Iterable[_Union[_usage_pb2.ModalityTokenCount, _Mapping]]] = ..., cache_tokens_details: _Optional[_Iterable[_Union[_usage_pb2.ModalityTokenCount, _Mapping]]] = ..., total_billable_characters: _Optional[int] = ..., call: _Optional[_Union[_call_pb2.CallReport, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...
