from sidecar.v1 import content_pb2 as _content_pb2
from sidecar.v1 import grounding_pb2 as _grounding_pb2
from sidecar.v1 import safety_pb2 as _safety_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UrlRetrievalStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    URL_RETRIEVAL_STATUS_UNSPECIFIED: _ClassVar[UrlRetrievalStatus]
    URL_RETRIEVAL_STATUS_SUCCESS: _ClassVar[UrlRetrievalStatus]
    URL_RETRIEVAL_STATUS_ERROR: _ClassVar[UrlRetrievalStatus]
    URL_RETRIEVAL_STATUS_PAYWALL: _ClassVar[UrlRetrievalStatus]
    URL_RETRIEVAL_STATUS_UNSAFE: _ClassVar[UrlRetrievalStatus]

class FinishReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINISH_REASON_UNSPECIFIED: _ClassVar[FinishReason]
    FINISH_REASON_STOP: _ClassVar[FinishReason]
    FINISH_REASON_MAX_TOKENS: _ClassVar[FinishReason]
    FINISH_REASON_SAFETY: _ClassVar[FinishReason]
    FINISH_REASON_RECITATION: _ClassVar[FinishReason]
    FINISH_REASON_LANGUAGE: _ClassVar[FinishReason]
    FINISH_REASON_OTHER: _ClassVar[FinishReason]
    FINISH_REASON_BLOCKLIST: _ClassVar[FinishReason]
    FINISH_REASON_PROHIBITED_CONTENT: _ClassVar[FinishReason]
    FINISH_REASON_SPII: _ClassVar[FinishReason]
    FINISH_REASON_MALFORMED_FUNCTION_CALL: _ClassVar[FinishReason]
    FINISH_REASON_IMAGE_SAFETY: _ClassVar[FinishReason]
    FINISH_REASON_IMAGE_PROHIBITED_CONTENT: _ClassVar[FinishReason]
    FINISH_REASON_IMAGE_OTHER: _ClassVar[FinishReason]
    FINISH_REASON_NO_IMAGE: _ClassVar[FinishReason]
    FINISH_REASON_IMAGE_RECITATION: _ClassVar[FinishReason]
    FINISH_REASON_UNEXPECTED_TOOL_CALL: _ClassVar[FinishReason]
    FINISH_REASON_TOO_MANY_TOOL_CALLS: _ClassVar[FinishReason]
    FINISH_REASON_MISSING_THOUGHT_SIGNATURE: _ClassVar[FinishReason]
    FINISH_REASON_MALFORMED_RESPONSE: _ClassVar[FinishReason]
    FINISH_REASON_ESCALATION: _ClassVar[FinishReason]
    FINISH_REASON_PUP_LIMITED_DISABLED: _ClassVar[FinishReason]
    FINISH_REASON_CONTINUATION: _ClassVar[FinishReason]
    FINISH_REASON_MODEL_ARMOR: _ClassVar[FinishReason]
URL_RETRIEVAL_STATUS_UNSPECIFIED: UrlRetrievalStatus
URL_RETRIEVAL_STATUS_SUCCESS: UrlRetrievalStatus
URL_RETRIEVAL_STATUS_ERROR: UrlRetrievalStatus
URL_RETRIEVAL_STATUS_PAYWALL: UrlRetrievalStatus
URL_RETRIEVAL_STATUS_UNSAFE: UrlRetrievalStatus
FINISH_REASON_UNSPECIFIED: FinishReason
FINISH_REASON_STOP: FinishReason
FINISH_REASON_MAX_TOKENS: FinishReason
FINISH_REASON_SAFETY: FinishReason
FINISH_REASON_RECITATION: FinishReason
FINISH_REASON_LANGUAGE: FinishReason
FINISH_REASON_OTHER: FinishReason
FINISH_REASON_BLOCKLIST: FinishReason
FINISH_REASON_PROHIBITED_CONTENT: FinishReason
FINISH_REASON_SPII: FinishReason
FINISH_REASON_MALFORMED_FUNCTION_CALL: FinishReason
FINISH_REASON_IMAGE_SAFETY: FinishReason
FINISH_REASON_IMAGE_PROHIBITED_CONTENT: FinishReason
FINISH_REASON_IMAGE_OTHER: FinishReason
FINISH_REASON_NO_IMAGE: FinishReason
FINISH_REASON_IMAGE_RECITATION: FinishReason
FINISH_REASON_UNEXPECTED_TOOL_CALL: FinishReason
FINISH_REASON_TOO_MANY_TOOL_CALLS: FinishReason
FINISH_REASON_MISSING_THOUGHT_SIGNATURE: FinishReason
FINISH_REASON_MALFORMED_RESPONSE: FinishReason
FINISH_REASON_ESCALATION: FinishReason
FINISH_REASON_PUP_LIMITED_DISABLED: FinishReason
FINISH_REASON_CONTINUATION: FinishReason
FINISH_REASON_MODEL_ARMOR: FinishReason

class Candidate(_message.Message):
    __slots__ = ("content", "finish_reason", "index", "finish_message", "safety_ratings", "citation_metadata", "token_count", "grounding_metadata", "avg_logprobs", "logprobs_result", "url_context_metadata", "continuation_token", "extra_json")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FINISH_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SAFETY_RATINGS_FIELD_NUMBER: _ClassVar[int]
    CITATION_METADATA_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    GROUNDING_METADATA_FIELD_NUMBER: _ClassVar[int]
    AVG_LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_RESULT_FIELD_NUMBER: _ClassVar[int]
    URL_CONTEXT_METADATA_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    content: _content_pb2.Content
    finish_reason: FinishReason
    index: int
    finish_message: str
    safety_ratings: _containers.RepeatedCompositeFieldContainer[_safety_pb2.SafetyRating]
    citation_metadata: CitationMetadata
    token_count: int
    grounding_metadata: _grounding_pb2.GroundingMetadata
    avg_logprobs: float
    logprobs_result: LogprobsResult
    url_context_metadata: UrlContextMetadata
    continuation_token: bytes
    extra_json: str
    def __init__(self, content: _Optional[_Union[_content_pb2.Content, _Mapping]] = ..., finish_reason: _Optional[_Union[FinishReason, str]] = ..., index: _Optional[int] = ..., finish_message: _Optional[str] = ..., safety_ratings: _Optional[_Iterable[_Union[_safety_pb2.SafetyRating, _Mapping]]] = ..., citation_metadata: _Optional[_Union[CitationMetadata, _Mapping]] = ..., token_count: _Optional[int] = ..., grounding_metadata: _Optional[_Union[_grounding_pb2.GroundingMetadata, _Mapping]] = ..., avg_logprobs: _Optional[float] = ..., logprobs_result: _Optional[_Union[LogprobsResult, _Mapping]] = ..., url_context_metadata: _Optional[_Union[UrlContextMetadata, _Mapping]] = ..., continuation_token: _Optional[bytes] = ..., extra_json: _Optional[str] = ...) -> None: ...

class CitationMetadata(_message.Message):
    __slots__ = ("citations", "citation_sources", "extra_json")
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    CITATION_SOURCES_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    citations: _containers.RepeatedCompositeFieldContainer[Citation]
    citation_sources: _containers.RepeatedCompositeFieldContainer[Citation]
    extra_json: str
    def __init__(self, citations: _Optional[_Iterable[_Union[Citation, _Mapping]]] = ..., citation_sources: _Optional[_Iterable[_Union[Citation, _Mapping]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class Citation(_message.Message):
    __slots__ = ("start_index", "end_index", "uri", "title", "license", "publication_date", "extra_json")
    START_INDEX_FIELD_NUMBER: _ClassVar[int]
    END_INDEX_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    PUBLICATION_DATE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    start_index: int
    end_index: int
    uri: str
    title: str
    license: str
    publication_date: Date
    extra_json: str
    def __init__(self, start_index: _Optional[int] = ..., end_index: _Optional[int] = ..., uri: _Optional[str] = ..., title: _Optional[str] = ..., license: _Optional[str] = ..., publication_date: _Optional[_Union[Date, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class Date(_message.Message):
    __slots__ = ("year", "month", "day", "extra_json")
    YEAR_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    year: int
    month: int
    day: int
    extra_json: str
    def __init__(self, year: _Optional[int] = ..., month: _Optional[int] = ..., day: _Optional[int] = ..., extra_json: _Optional[str] = ...) -> None: ...

class LogprobsResult(_message.Message):
    __slots__ = ("chosen_candidates", "top_candidates", "log_probability_sum", "extra_json")
    CHOSEN_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    TOP_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    LOG_PROBABILITY_SUM_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    chosen_candidates: _containers.RepeatedCompositeFieldContainer[LogprobsCandidate]
    top_candidates: _containers.RepeatedCompositeFieldContainer[TopCandidates]
    log_probability_sum: float
    extra_json: str
    def __init__(self, chosen_candidates: _Optional[_Iterable[_Union[LogprobsCandidate, _Mapping]]] = ..., top_candidates: _Optional[_Iterable[_Union[TopCandidates, _Mapping]]] = ..., log_probability_sum: _Optional[float] = ..., extra_json: _Optional[str] = ...) -> None: ...

class TopCandidates(_message.Message):
    __slots__ = ("candidates", "extra_json")
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[LogprobsCandidate]
    extra_json: str
    def __init__(self, candidates: _Optional[_Iterable[_Union[LogprobsCandidate, _Mapping]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class LogprobsCandidate(_message.Message):
    __slots__ = ("token", "token_id", "log_probability", "extra_json")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    LOG_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    token: str
    token_id: int
    log_probability: float
    extra_json: str
    def __init__(self, token: _Optional[str] = ..., token_id: _Optional[int] = ..., log_probability: _Optional[float] = ..., extra_json: _Optional[str] = ...) -> None: ...

class UrlContextMetadata(_message.Message):
    __slots__ = ("url_metadata", "extra_json")
    URL_METADATA_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    url_metadata: _containers.RepeatedCompositeFieldContainer[UrlMetadata]
    extra_json: str
    def __init__(self, url_metadata: _Optional[_Iterable[_Union[UrlMetadata, _Mapping]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class UrlMetadata(_message.Message):
    __slots__ = ("retrieved_url", "url_retrieval_status", "extra_json")
    RETRIEVED_URL_FIELD_NUMBER: _ClassVar[int]
    URL_RETRIEVAL_STATUS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    retrieved_url: str
    url_retrieval_status: UrlRetrievalStatus
    extra_json: str
    def __init__(self, retrieved_url: _Optional[str] = ..., url_retrieval_status: _Optional[_Union[UrlRetrievalStatus, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...
