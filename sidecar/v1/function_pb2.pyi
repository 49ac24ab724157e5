from sidecar.v1 import media_pb2 as _media_pb2
from sidecar.v1 import schema_pb2 as _schema_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Behavior(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BEHAVIOR_UNSPECIFIED: _ClassVar[Behavior]
    BEHAVIOR_BLOCKING: _ClassVar[Behavior]
    BEHAVIOR_NON_BLOCKING: _ClassVar[Behavior]

class FunctionResponseScheduling(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FUNCTION_RESPONSE_SCHEDULING_UNSPECIFIED: _ClassVar[FunctionResponseScheduling]
    FUNCTION_RESPONSE_SCHEDULING_SILENT: _ClassVar[FunctionResponseScheduling]
    FUNCTION_RESPONSE_SCHEDULING_WHEN_IDLE: _ClassVar[FunctionResponseScheduling]
    FUNCTION_RESPONSE_SCHEDULING_INTERRUPT: _ClassVar[FunctionResponseScheduling]
BEHAVIOR_UNSPECIFIED: Behavior
BEHAVIOR_BLOCKING: Behavior
BEHAVIOR_NON_BLOCKING: Behavior
FUNCTION_RESPONSE_SCHEDULING_UNSPECIFIED: FunctionResponseScheduling
FUNCTION_RESPONSE_SCHEDULING_SILENT: FunctionResponseScheduling
FUNCTION_RESPONSE_SCHEDULING_WHEN_IDLE: FunctionResponseScheduling
FUNCTION_RESPONSE_SCHEDULING_INTERRUPT: FunctionResponseScheduling

class FunctionDeclaration(_message.Message):
    __slots__ = ("name", "description", "parameters", "parameters_json_schema", "response", "response_json_schema", "behavior", "extra_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOR_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    parameters: _schema_pb2.Schema
    parameters_json_schema: str
    response: _schema_pb2.Schema
    response_json_schema: str
    behavior: Behavior
    extra_json: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., parameters: _Optional[_Union[_schema_pb2.Schema, _Mapping]] = ..., parameters_json_schema: _Optional[str] = ..., response: _Optional[_Union[_schema_pb2.Schema, _Mapping]] = ..., response_json_schema: _Optional[str] = ..., behavior: _Optional[_Union[Behavior, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class FunctionCall(_message.Message):
    __slots__ = ("id", "name", "args_json", "partial_args", "will_continue", "extra_json")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGS_JSON_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_ARGS_FIELD_NUMBER: _ClassVar[int]
    WILL_CONTINUE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    args_json: str
    partial_args: _containers.RepeatedCompositeFieldContainer[PartialArg]
    will_continue: bool
    extra_json: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., args_json: _Optional[str] = ..., partial_args: _Optional[_Iterable[_Union[PartialArg, _Mapping]]] = ..., will_continue: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...

class PartialArg(_message.Message):
    __slots__ = ("json_path", "null_value", "number_value", "string_value", "bool_value", "will_continue", "extra_json")
    JSON_PATH_FIELD_NUMBER: _ClassVar[int]
    NULL_VALUE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_VALUE_FIELD_NUMBER: _ClassVar[int]
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    WILL_CONTINUE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    json_path: str
    null_value: str
    number_value: float
    string_value: str
    bool_value: bool
    will_continue: bool
    extra_json: str
    def __init__(self, json_path: _Optional[str] = ..., null_value: _Optional[str] = ..., number_value: _Optional[float] = ..., string_value: _Optional[str] = ..., bool_value: _Optional[bool] = ..., will_continue: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...

class FunctionResponse(_message.Message):
    __slots__ = ("id", "name", "response_json", "parts", "will_continue", "scheduling", "extra_json")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_JSON_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    WILL_CONTINUE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULING_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    response_json: str
    parts: _containers.RepeatedCompositeFieldContainer[FunctionResponsePart]
    will_continue: bool
    scheduling: FunctionResponseScheduling
    extra_json: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., response_json: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[FunctionResponsePart, _Mapping]]] = ..., will_continue: _Optional[bool] = ..., scheduling: _Optional[_Union[FunctionResponseScheduling, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class FunctionResponsePart(_message.Message):
    __slots__ = ("inline_data", "file_data", "media_resolution", "media_processing", "video_metadata", "document_metadata", "spreadsheet_metadata", "audio_metadata", "extra_json")
    INLINE_DATA_FIELD_NUMBER: _ClassVar[int]
    FILE_DATA_FIELD_NUMBER: _ClassVar[int]
    MEDIA_RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    MEDIA_PROCESSING_FIELD_NUMBER: _ClassVar[int]
    VIDEO_METADATA_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_METADATA_FIELD_NUMBER: _ClassVar[int]
    SPREADSHEET_METADATA_FIELD_NUMBER: _ClassVar[int]
    AUDIO_METADATA_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    inline_data: FunctionResponseBlob
    file_data: FunctionResponseFileData
    media_resolution: _media_pb2.PartMediaResolution
    media_processing: _media_pb2.MediaProcessing
    video_metadata: _media_pb2.VideoMetadata
    document_metadata: _media_pb2.DocumentMetadata
    spreadsheet_metadata: _media_pb2.SpreadsheetMetadata
    audio_metadata: _media_pb2.AudioMetadata
    extra_json: str
    def __init__(self, inline_data: _Optional[_Union[FunctionResponseBlob, _Mapping]] = ..., file_data: _Optional[_Union[FunctionResponseFileData, _Mapping]] = ..., media_resolution: _Optional[_Union[_media_pb2.PartMediaResolution, _Mapping]] = ..., media_processing: _Optional[_Union[_media_pb2.MediaProcessing, str]] = ..., video_metadata: _Optional[_Union[_media_pb2.VideoMetadata, _Mapping]] = ..., document_metadata: _Optional[_Union[_media_pb2.DocumentMetadata, _Mapping]] = ..., spreadsheet_metadata: _Optional[_Union[_media_pb2.SpreadsheetMetadata, _Mapping]] = ..., audio_metadata: _Optional[_Union[_media_pb2.AudioMetadata, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class FunctionResponseBlob(_message.Message):
    __slots__ = ("mime_type", "data", "display_name", "extra_json")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    data: bytes
    display_name: str
    extra_json: str
    def __init__(self, mime_type: _Optional[str] = ..., data: _Optional[bytes] = ..., display_name: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class FunctionResponseFileData(_message.Message):
    __slots__ = ("mime_type", "file_uri", "display_name", "extra_json")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    FILE_URI_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    file_uri: str
    display_name: str
    extra_json: str
    def __init__(self, mime_type: _Optional[str] = ..., file_uri: _Optional[str] = ..., display_name: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...
