import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MediaResolution(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEDIA_RESOLUTION_UNSPECIFIED: _ClassVar[MediaResolution]
    MEDIA_RESOLUTION_LOW: _ClassVar[MediaResolution]
    MEDIA_RESOLUTION_MEDIUM: _ClassVar[MediaResolution]
    MEDIA_RESOLUTION_HIGH: _ClassVar[MediaResolution]
    MEDIA_RESOLUTION_ULTRA_HIGH: _ClassVar[MediaResolution]

class MediaProcessing(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEDIA_PROCESSING_UNSPECIFIED: _ClassVar[MediaProcessing]
    MEDIA_PROCESSING_STATIC: _ClassVar[MediaProcessing]
    MEDIA_PROCESSING_AGENTIC: _ClassVar[MediaProcessing]

class VideoContentLayer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIDEO_CONTENT_LAYER_UNSPECIFIED: _ClassVar[VideoContentLayer]
    VIDEO_CONTENT_LAYER_FRAMES: _ClassVar[VideoContentLayer]
    VIDEO_CONTENT_LAYER_AUDIO: _ClassVar[VideoContentLayer]
    VIDEO_CONTENT_LAYER_TRANSCRIPT: _ClassVar[VideoContentLayer]

class DocumentContentLayer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOCUMENT_CONTENT_LAYER_UNSPECIFIED: _ClassVar[DocumentContentLayer]
    DOCUMENT_CONTENT_LAYER_PAGE_IMAGE: _ClassVar[DocumentContentLayer]
    DOCUMENT_CONTENT_LAYER_PAGE_TEXT: _ClassVar[DocumentContentLayer]

class SpreadsheetContentLayer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPREADSHEET_CONTENT_LAYER_UNSPECIFIED: _ClassVar[SpreadsheetContentLayer]
    SPREADSHEET_CONTENT_LAYER_DATA: _ClassVar[SpreadsheetContentLayer]
    SPREADSHEET_CONTENT_LAYER_FORMULAS: _ClassVar[SpreadsheetContentLayer]
    SPREADSHEET_CONTENT_LAYER_VISUAL: _ClassVar[SpreadsheetContentLayer]
MEDIA_RESOLUTION_UNSPECIFIED: MediaResolution
MEDIA_RESOLUTION_LOW: MediaResolution
MEDIA_RESOLUTION_MEDIUM: MediaResolution
MEDIA_RESOLUTION_HIGH: MediaResolution
MEDIA_RESOLUTION_ULTRA_HIGH: MediaResolution
MEDIA_PROCESSING_UNSPECIFIED: MediaProcessing
MEDIA_PROCESSING_STATIC: MediaProcessing
MEDIA_PROCESSING_AGENTIC: MediaProcessing
VIDEO_CONTENT_LAYER_UNSPECIFIED: VideoContentLayer
VIDEO_CONTENT_LAYER_FRAMES: VideoContentLayer
VIDEO_CONTENT_LAYER_AUDIO: VideoContentLayer
VIDEO_CONTENT_LAYER_TRANSCRIPT: VideoContentLayer
DOCUMENT_CONTENT_LAYER_UNSPECIFIED: DocumentContentLayer
DOCUMENT_CONTENT_LAYER_PAGE_IMAGE: DocumentContentLayer
DOCUMENT_CONTENT_LAYER_PAGE_TEXT: DocumentContentLayer
SPREADSHEET_CONTENT_LAYER_UNSPECIFIED: SpreadsheetContentLayer
SPREADSHEET_CONTENT_LAYER_DATA: SpreadsheetContentLayer
SPREADSHEET_CONTENT_LAYER_FORMULAS: SpreadsheetContentLayer
SPREADSHEET_CONTENT_LAYER_VISUAL: SpreadsheetContentLayer

class PartMediaResolution(_message.Message):
    __slots__ = ("level", "num_tokens", "extra_json")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NUM_TOKENS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    level: MediaResolution
    num_tokens: int
    extra_json: str
    def __init__(self, level: _Optional[_Union[MediaResolution, str]] = ..., num_tokens: _Optional[int] = ..., extra_json: _Optional[str] = ...) -> None: ...

class VideoMetadata(_message.Message):
    __slots__ = ("start_offset", "end_offset", "fps", "content_layers", "extra_json")
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LAYERS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    fps: float
    content_layers: _containers.RepeatedScalarFieldContainer[VideoContentLayer]
    extra_json: str
    def __init__(self, start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., fps: _Optional[float] = ..., content_layers: _Optional[_Iterable[_Union[VideoContentLayer, str]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class AudioMetadata(_message.Message):
    __slots__ = ("start_offset", "end_offset", "extra_json")
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    extra_json: str
    def __init__(self, start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class DocumentMetadata(_message.Message):
    __slots__ = ("start_page", "end_page", "content_layers", "extra_json")
    START_PAGE_FIELD_NUMBER: _ClassVar[int]
    END_PAGE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LAYERS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    start_page: int
    end_page: int
    content_layers: _containers.RepeatedScalarFieldContainer[DocumentContentLayer]
    extra_json: str
    def __init__(self, start_page: _Optional[int] = ..., end_page: _Optional[int] = ..., content_layers: _Optional[_Iterable[_Union[DocumentContentLayer, str]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class SpreadsheetMetadata(_message.Message):
    __slots__ = ("visible_cells", "sheet_index", "content_layers", "extra_json")
    VISIBLE_CELLS_FIELD_NUMBER: _ClassVar[int]
    SHEET_INDEX_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LAYERS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    visible_cells: str
    sheet_index: int
    content_layers: _containers.RepeatedScalarFieldContainer[SpreadsheetContentLayer]
    extra_json: str
    def __init__(self, visible_cells: _Optional[str] = ..., sheet_index: _Optional[int] = ..., content_layers: _Optional[_Iterable[_Union[SpreadsheetContentLayer, str]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class SpeechMetadata(_message.Message):
    __slots__ = ("speaker", "style", "extra_json")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    speaker: str
    style: str
    extra_json: str
    def __init__(self, speaker: _Optional[str] = ..., style: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...
