from sidecar.v1 import call_pb2 as _call_pb2
from sidecar.v1 import content_pb2 as _content_pb2
from sidecar.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EmbeddingTaskType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EMBEDDING_TASK_TYPE_UNSPECIFIED: _ClassVar[EmbeddingTaskType]
    EMBEDDING_TASK_TYPE_RETRIEVAL_QUERY: _ClassVar[EmbeddingTaskType]
    EMBEDDING_TASK_TYPE_RETRIEVAL_DOCUMENT: _ClassVar[EmbeddingTaskType]
    EMBEDDING_TASK_TYPE_SEMANTIC_SIMILARITY: _ClassVar[EmbeddingTaskType]
    EMBEDDING_TASK_TYPE_CLASSIFICATION: _ClassVar[EmbeddingTaskType]
    EMBEDDING_TASK_TYPE_CLUSTERING: _ClassVar[EmbeddingTaskType]
    EMBEDDING_TASK_TYPE_QUESTION_ANSWERING: _ClassVar[EmbeddingTaskType]
    EMBEDDING_TASK_TYPE_FACT_VERIFICATION: _ClassVar[EmbeddingTaskType]
    EMBEDDING_TASK_TYPE_CODE_RETRIEVAL_QUERY: _ClassVar[EmbeddingTaskType]
EMBEDDING_TASK_TYPE_UNSPECIFIED: EmbeddingTaskType
EMBEDDING_TASK_TYPE_RETRIEVAL_QUERY: EmbeddingTaskType
EMBEDDING_TASK_TYPE_RETRIEVAL_DOCUMENT: EmbeddingTaskType
EMBEDDING_TASK_TYPE_SEMANTIC_SIMILARITY: EmbeddingTaskType
EMBEDDING_TASK_TYPE_CLASSIFICATION: EmbeddingTaskType
EMBEDDING_TASK_TYPE_CLUSTERING: EmbeddingTaskType
EMBEDDING_TASK_TYPE_QUESTION_ANSWERING: EmbeddingTaskType
EMBEDDING_TASK_TYPE_FACT_VERIFICATION: EmbeddingTaskType
EMBEDDING_TASK_TYPE_CODE_RETRIEVAL_QUERY: EmbeddingTaskType

class EmbedContentRequest(_message.Message):
    __slots__ = ("model", "prompt", "contents", "task_type", "title", "output_dimensionality", "auto_truncate", "document_ocr", "audio_track_extraction", "extra_json")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    TASK_TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_DIMENSIONALITY_FIELD_NUMBER: _ClassVar[int]
    AUTO_TRUNCATE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_OCR_FIELD_NUMBER: _ClassVar[int]
    AUDIO_TRACK_EXTRACTION_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    model: str
    prompt: str
    contents: _containers.RepeatedCompositeFieldContainer[_content_pb2.Content]
    task_type: EmbeddingTaskType
    title: str
    output_dimensionality: int
    auto_truncate: bool
    document_ocr: bool
    audio_track_extraction: bool
    extra_json: str
    def __init__(self, model: _Optional[str] = ..., prompt: _Optional[str] = ..., contents: _Optional[_Iterable[_Union[_content_pb2.Content, _Mapping]]] = ..., task_type: _Optional[_Union[EmbeddingTaskType, str]] = ..., title: _Optional[str] = ..., output_dimensionality: _Optional[int] = ..., auto_truncate: _Optional[bool] = ..., document_ocr: _Optional[bool] = ..., audio_track_extraction: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...

class EmbedContentResponse(_message.Message):
    __slots__ = ("embeddings", "usage_metadata", "metadata", "call", "extra_json")
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    USAGE_METADATA_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    embeddings: _containers.RepeatedCompositeFieldContainer[ContentEmbedding]
    usage_metadata: _usage_pb2.UsageMetadata
    metadata: EmbedContentMetadata
    call: _call_pb2.CallReport
    extra_json: str
    def __init__(self, embeddings: _Optional[_Iterable[_Union[ContentEmbedding, _Mapping]]] = ..., usage_metadata: _Optional[_Union[_usage_pb2.UsageMetadata, _Mapping]] = ..., metadata: _Optional[_Union[EmbedContentMetadata, _Mapping]] = ..., call: _Optional[_Union[_call_pb2.CallReport, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ContentEmbedding(_message.Message):
    __slots__ = ("values", "statistics", "extra_json")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    statistics: ContentEmbeddingStatistics
    extra_json: str
    def __init__(self, values: _Optional[_Iterable[float]] = ..., statistics: _Optional[_Union[ContentEmbeddingStatistics, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ContentEmbeddingStatistics(_message.Message):
    __slots__ = ("truncated", "token_count", "tokens_details", "extra_json")
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_DETAILS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    truncated: bool
    token_count: float
    tokens_details: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ModalityTokenCount]
    extra_json: str
    def __init__(self, truncated: _Optional[bool] = ..., token_count: _Optional[float] = ..., tokens_details: _Optional[_Iterable[_Union[_usage_pb2.ModalityTokenCount, _Mapping]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class EmbedContentMetadata(_message.Message):
    __slots__ = ("billable_character_count", "extra_json")
    BILLABLE_CHARACTER_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    billable_character_count: int
    extra_json: str
    def __init__(self, billable_character_count: _Optional[int] = ..., extra_json: _Optional[str] = ...) -> None: ...
