import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from sidecar.v1 import function_pb2 as _function_pb2
from sidecar.v1 import media_pb2 as _media_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Language(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LANGUAGE_UNSPECIFIED: _ClassVar[Language]
    LANGUAGE_PYTHON: _ClassVar[Language]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_OK: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
    OUTCOME_DEADLINE_EXCEEDED: _ClassVar[Outcome]

class ToolType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOOL_TYPE_UNSPECIFIED: _ClassVar[ToolType]
    TOOL_TYPE_GOOGLE_SEARCH_WEB: _ClassVar[ToolType]
    TOOL_TYPE_GOOGLE_SEARCH_IMAGE: _ClassVar[ToolType]
    TOOL_TYPE_URL_CONTEXT: _ClassVar[ToolType]
    TOOL_TYPE_GOOGLE_MAPS: _ClassVar[ToolType]
    TOOL_TYPE_FILE_SEARCH: _ClassVar[ToolType]
    TOOL_TYPE_MEDIA_PROCESSING: _ClassVar[ToolType]
LANGUAGE_UNSPECIFIED: Language
LANGUAGE_PYTHON: Language
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_OK: Outcome
OUTCOME_FAILED: Outcome
OUTCOME_DEADLINE_EXCEEDED: Outcome
TOOL_TYPE_UNSPECIFIED: ToolType
TOOL_TYPE_GOOGLE_SEARCH_WEB: ToolType
TOOL_TYPE_GOOGLE_SEARCH_IMAGE: ToolType
TOOL_TYPE_URL_CONTEXT: ToolType
TOOL_TYPE_GOOGLE_MAPS: ToolType
TOOL_TYPE_FILE_SEARCH: ToolType
TOOL_TYPE_MEDIA_PROCESSING: ToolType

class Content(_message.Message):
    __slots__ = ("parts", "role", "extra_json")
    PARTS_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[Part]
    role: str
    extra_json: str
    def __init__(self, parts: _Optional[_Iterable[_Union[Part, _Mapping]]] = ..., role: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class Part(_message.Message):
    __slots__ = ("text", "inline_data", "file_data", "function_call", "function_response", "executable_code", "code_execution_result", "tool_call", "tool_response", "thought", "thought_signature", "video_metadata", "media_resolution", "part_metadata_json", "audio_transcription", "media_processing", "speech_metadata", "document_metadata", "spreadsheet_metadata", "audio_metadata", "extra_json")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INLINE_DATA_FIELD_NUMBER: _ClassVar[int]
    FILE_DATA_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_CALL_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    EXECUTABLE_CODE_FIELD_NUMBER: _ClassVar[int]
    CODE_EXECUTION_RESULT_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_FIELD_NUMBER: _ClassVar[int]
    TOOL_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    THOUGHT_FIELD_NUMBER: _ClassVar[int]
    THOUGHT_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    VIDEO_METADATA_FIELD_NUMBER: _ClassVar[int]
    MEDIA_RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    PART_METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    AUDIO_TRANSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MEDIA_PROCESSING_FIELD_NUMBER: _ClassVar[int]
    SPEECH_METADATA_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_METADATA_FIELD_NUMBER: _ClassVar[int]
    SPREADSHEET_METADATA_FIELD_NUMBER: _ClassVar[int]
    AUDIO_METADATA_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    text: str
    inline_data: Blob
    file_data: FileData
    function_call: _function_pb2.FunctionCall
    function_response: _function_pb2.FunctionResponse
    executable_code: ExecutableCode
    code_execution_result: CodeExecutionResult
    tool_call: ToolCall
    tool_response: ToolResponse
    thought: bool
    thought_signature: bytes
    video_metadata: _media_pb2.VideoMetadata
    media_resolution: _media_pb2.PartMediaResolution
    part_metadata_json: str
    audio_transcription: Transcription
    media_processing: _media_pb2.MediaProcessing
    speech_metadata: _media_pb2.SpeechMetadata
    document_metadata: _media_pb2.DocumentMetadata
    spreadsheet_metadata: _media_pb2.SpreadsheetMetadata
    audio_metadata: _media_pb2.AudioMetadata
    extra_json: str
    def __init__(self, text: _Optional[str] = ..., inline_data: _Optional[_Union[Blob, _Mapping]] = ..., file_data: _Optional[_Union[FileData, _Mapping]] = ..., function_call: _Optional[_Union[_function_pb2.FunctionCall, _Mapping]] = ..., function_response: _Optional[_Union[_function_pb2.FunctionResponse, _Mapping]] = ..., executable_code: _Optional[_Union[ExecutableCode, _Mapping]] = ..., code_execution_result: _Optional[_Union[CodeExecutionResult, _Mapping]] = ..., tool_call: _Optional[_Union[ToolCall, _Mapping]] = ..., tool_response: _Optional[_Union[ToolResponse, _Mapping]] = ..., thought: _Optional[bool] = ..., thought_signature: _Optional[bytes] = ..., video_metadata: _Optional[_Union[_media_pb2.VideoMetadata, _Mapping]] = ..., media_resolution: _Optional[_Union[_media_pb2.PartMediaResolution, _Mapping]] = ..., part_metadata_json: _Optional[str] = ..., audio_transcription: _Optional[_Union[Transcription, _Mapping]] = ..., media_processing: _Optional[_Union[_media_pb2.MediaProcessing, str]] = ..., speech_metadata: _Optional[_Union[_media_pb2.SpeechMetadata, _Mapping]] = ..., document_metadata: _Optional[_Union[_media_pb2.DocumentMetadata, _Mapping]] = ..., spreadsheet_metadata: _Optional[_Union[_media_pb2.SpreadsheetMetadata, _Mapping]] = ..., audio_metadata: _Optional[_Union[_media_pb2.AudioMetadata, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class Blob(_message.Message):
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

class FileData(_message.Message):
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

class ExecutableCode(_message.Message):
    __slots__ = ("language", "code", "id", "extra_json")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    language: Language
    code: str
    id: str
    extra_json: str
    def __init__(self, language: _Optional[_Union[Language, str]] = ..., code: _Optional[str] = ..., id: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class CodeExecutionResult(_message.Message):
    __slots__ = ("outcome", "output", "id", "extra_json")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    output: str
    id: str
    extra_json: str
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., output: _Optional[str] = ..., id: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ToolCall(_message.Message):
    __slots__ = ("id", "tool_type", "args_json", "extra_json")
    ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_TYPE_FIELD_NUMBER: _ClassVar[int]
    ARGS_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    id: str
    tool_type: ToolType
    args_json: str
    extra_json: str
    def __init__(self, id: _Optional[str] = ..., tool_type: _Optional[_Union[ToolType, str]] = ..., args_json: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ToolResponse(_message.Message):
    __slots__ = ("id", "tool_type", "response_json", "extra_json")
    ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    id: str
    tool_type: ToolType
    response_json: str
    extra_json: str
    def __init__(self, id: _Optional[str] = ..., tool_type: _Optional[_Union[ToolType, str]] = ..., response_json: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class Transcription(_message.Message):
    __slots__ = ("text", "finished", "language_code", "speaker_label", "words", "start_offset", "end_offset", "extra_json")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_LABEL_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    text: str
    finished: bool
    language_code: str
    speaker_label: str
    words: _containers.RepeatedCompositeFieldContainer[WordInfo]
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    extra_json: str
    def __init__(self, text: _Optional[str] = ..., finished: _Optional[bool] = ..., language_code: _Optional[str] = ..., speaker_label: _Optional[str] = ..., words: _Optional[_Iterable[_Union[WordInfo, _Mapping]]] = ..., start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class WordInfo(_message.Message):
    __slots__ = ("word", "start_offset", "end_offset", "extra_json")
    WORD_FIELD_NUMBER: _ClassVar[int]
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    word: str
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    extra_json: str
    def __init__(self, word: _Optional[str] = ..., start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...
