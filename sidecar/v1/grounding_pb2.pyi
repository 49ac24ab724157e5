import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GroundingMetadata(_message.Message):
    __slots__ = ("web_search_queries", "search_entry_point", "grounding_chunks", "grounding_supports", "retrieval_metadata", "retrieval_queries", "image_search_queries", "google_maps_widget_context_token", "source_flagging_uris", "extra_json")
    WEB_SEARCH_QUERIES_FIELD_NUMBER: _ClassVar[int]
    SEARCH_ENTRY_POINT_FIELD_NUMBER: _ClassVar[int]
    GROUNDING_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    GROUNDING_SUPPORTS_FIELD_NUMBER: _ClassVar[int]
    RETRIEVAL_METADATA_FIELD_NUMBER: _ClassVar[int]
    RETRIEVAL_QUERIES_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SEARCH_QUERIES_FIELD_NUMBER: _ClassVar[int]
    GOOGLE_MAPS_WIDGET_CONTEXT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FLAGGING_URIS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    web_search_queries: _containers.RepeatedScalarFieldContainer[str]
    search_entry_point: SearchEntryPoint
    grounding_chunks: _containers.RepeatedCompositeFieldContainer[GroundingChunk]
    grounding_supports: _containers.RepeatedCompositeFieldContainer[GroundingSupport]
    retrieval_metadata: RetrievalMetadata
    retrieval_queries: _containers.RepeatedScalarFieldContainer[str]
    image_search_queries: _containers.RepeatedScalarFieldContainer[str]
    google_maps_widget_context_token: str
    source_flagging_uris: _containers.RepeatedCompositeFieldContainer[SourceFlaggingUri]
    extra_json: str
    def __init__(self, web_search_queries: _Optional[_Iterable[str]] = ..., search_entry_point: _Optional[_Union[SearchEntryPoint, _Mapping]] = ..., grounding_chunks: _Optional[_Iterable[_Union[GroundingChunk, _Mapping]]] = ..., grounding_supports: _Optional[_Iterable[_Union[GroundingSupport, _Mapping]]] = ..., retrieval_metadata: _Optional[_Union[RetrievalMetadata, _Mapping]] = ..., retrieval_queries: _Optional[_Iterable[str]] = ..., image_search_queries: _Optional[_Iterable[str]] = ..., google_maps_widget_context_token: _Optional[str] = ..., source_flagging_uris: _Optional[_Iterable[_Union[SourceFlaggingUri, _Mapping]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class SearchEntryPoint(_message.Message):
    __slots__ = ("rendered_content", "sdk_blob", "extra_json")
    RENDERED_CONTENT_FIELD_NUMBER: _ClassVar[int]
    SDK_BLOB_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    rendered_content: str
    sdk_blob: bytes
    extra_json: str
    def __init__(self, rendered_content: _Optional[str] = ..., sdk_blob: _Optional[bytes] = ..., extra_json: _Optional[str] = ...) -> None: ...

class GroundingChunk(_message.Message):
    __slots__ = ("web", "retrieved_context", "maps", "image", "extra_json")
    WEB_FIELD_NUMBER: _ClassVar[int]
    RETRIEVED_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    MAPS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    web: WebChunk
    retrieved_context: RetrievedContextChunk
    maps: MapsChunk
    image: ImageChunk
    extra_json: str
    def __init__(self, web: _Optional[_Union[WebChunk, _Mapping]] = ..., retrieved_context: _Optional[_Union[RetrievedContextChunk, _Mapping]] = ..., maps: _Optional[_Union[MapsChunk, _Mapping]] = ..., image: _Optional[_Union[ImageChunk, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class WebChunk(_message.Message):
    __slots__ = ("uri", "title", "domain", "extra_json")
    URI_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    uri: str
    title: str
    domain: str
    extra_json: str
    def __init__(self, uri: _Optional[str] = ..., title: _Optional[str] = ..., domain: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ImageChunk(_message.Message):
    __slots__ = ("source_uri", "image_uri", "title", "domain", "extra_json")
    SOURCE_URI_FIELD_NUMBER: _ClassVar[int]
    IMAGE_URI_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    source_uri: str
    image_uri: str
    title: str
    domain: str
    extra_json: str
    def __init__(self, source_uri: _Optional[str] = ..., image_uri: _Optional[str] = ..., title: _Optional[str] = ..., domain: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RetrievedContextChunk(_message.Message):
    __slots__ = ("uri", "title", "text", "rag_chunk", "document_name", "custom_metadata", "file_search_store", "page_number", "media_id", "extra_json")
    URI_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RAG_CHUNK_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_NAME_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_METADATA_FIELD_NUMBER: _ClassVar[int]
    FILE_SEARCH_STORE_FIELD_NUMBER: _ClassVar[int]
    PAGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    MEDIA_ID_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    uri: str
    title: str
    text: str
    rag_chunk: RagChunk
    document_name: str
    custom_metadata: _containers.RepeatedCompositeFieldContainer[CustomMetadata]
    file_search_store: str
    page_number: int
    media_id: str
    extra_json: str
    def __init__(self, uri: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., rag_chunk: _Optional[_Union[RagChunk, _Mapping]] = ..., document_name: _Optional[str] = ..., custom_metadata: _Optional[_Iterable[_Union[CustomMetadata, _Mapping]]] = ..., file_search_store: _Optional[str] = ..., page_number: _Optional[int] = ..., media_id: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagChunk(_message.Message):
    __slots__ = ("text", "page_span", "chunk_id", "file_id", "extra_json")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SPAN_FIELD_NUMBER: _ClassVar[int]
    CHUNK_ID_FIELD_NUMBER: _ClassVar[int]
    FILE_ID_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    text: str
    page_span: RagChunkPageSpan
    chunk_id: str
    file_id: str
    extra_json: str
    def __init__(self, text: _Optional[str] = ..., page_span: _Optional[_Union[RagChunkPageSpan, _Mapping]] = ..., chunk_id: _Optional[str] = ..., file_id: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagChunkPageSpan(_message.Message):
    __slots__ = ("first_page", "last_page", "extra_json")
    FIRST_PAGE_FIELD_NUMBER: _ClassVar[int]
    LAST_PAGE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    first_page: int
    last_page: int
    extra_json: str
    def __init__(self, first_page: _Optional[int] = ..., last_page: _Optional[int] = ..., extra_json: _Optional[str] = ...) -> None: ...

class CustomMetadata(_message.Message):
    __slots__ = ("key", "string_value", "string_list_value", "numeric_value", "extra_json")
    KEY_FIELD_NUMBER: _ClassVar[int]
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    STRING_LIST_VALUE_FIELD_NUMBER: _ClassVar[int]
    NUMERIC_VALUE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    key: str
    string_value: str
    string_list_value: StringList
    numeric_value: float
    extra_json: str
    def __init__(self, key: _Optional[str] = ..., string_value: _Optional[str] = ..., string_list_value: _Optional[_Union[StringList, _Mapping]] = ..., numeric_value: _Optional[float] = ..., extra_json: _Optional[str] = ...) -> None: ...

class StringList(_message.Message):
    __slots__ = ("values", "extra_json")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    extra_json: str
    def __init__(self, values: _Optional[_Iterable[str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class MapsChunk(_message.Message):
    __slots__ = ("uri", "title", "text", "place_id", "place_answer_sources", "route", "extra_json")
    URI_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PLACE_ID_FIELD_NUMBER: _ClassVar[int]
    PLACE_ANSWER_SOURCES_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    uri: str
    title: str
    text: str
    place_id: str
    place_answer_sources: PlaceAnswerSources
    route: MapsRoute
    extra_json: str
    def __init__(self, uri: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., place_id: _Optional[str] = ..., place_answer_sources: _Optional[_Union[PlaceAnswerSources, _Mapping]] = ..., route: _Optional[_Union[MapsRoute, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class MapsRoute(_message.Message):
    __slots__ = ("distance_meters", "duration", "encoded_polyline", "extra_json")
    DISTANCE_METERS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    ENCODED_POLYLINE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    distance_meters: int
    duration: _duration_pb2.Duration
    encoded_polyline: str
    extra_json: str
    def __init__(self, distance_meters: _Optional[int] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., encoded_polyline: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class PlaceAnswerSources(_message.Message):
    __slots__ = ("review_snippets", "review_snippet", "flag_content_uri", "extra_json")
    REVIEW_SNIPPETS_FIELD_NUMBER: _ClassVar[int]
    REVIEW_SNIPPET_FIELD_NUMBER: _ClassVar[int]
    FLAG_CONTENT_URI_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    review_snippets: _containers.RepeatedCompositeFieldContainer[ReviewSnippet]
    review_snippet: _containers.RepeatedCompositeFieldContainer[ReviewSnippet]
    flag_content_uri: str
    extra_json: str
    def __init__(self, review_snippets: _Optional[_Iterable[_Union[ReviewSnippet, _Mapping]]] = ..., review_snippet: _Optional[_Iterable[_Union[ReviewSnippet, _Mapping]]] = ..., flag_content_uri: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ReviewSnippet(_message.Message):
    __slots__ = ("review_id", "review", "title", "google_maps_uri", "author_attribution", "relative_publish_time_description", "flag_content_uri", "extra_json")
    REVIEW_ID_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    GOOGLE_MAPS_URI_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ATTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_PUBLISH_TIME_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FLAG_CONTENT_URI_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    review_id: str
    review: str
    title: str
    google_maps_uri: str
    author_attribution: AuthorAttribution
    relative_publish_time_description: str
    flag_content_uri: str
    extra_json: str
    def __init__(self, review_id: _Optional[str] = ..., review: _Optional[str] = ..., title: _Optional[str] = ..., google_maps_uri: _Optional[str] = ..., author_attribution: _Optional[_Union[AuthorAttribution, _Mapping]] = ..., relative_publish_time_description: _Optional[str] = ..., flag_content_uri: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class AuthorAttribution(_message.Message):
    __slots__ = ("display_name", "uri", "photo_uri", "extra_json")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    PHOTO_URI_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    uri: str
    photo_uri: str
    extra_json: str
    def __init__(self, display_name: _Optional[str] = ..., uri: _Optional[str] = ..., photo_uri: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class GroundingSupport(_message.Message):
    __slots__ = ("segment", "grounding_chunk_indices", "confidence_scores", "rendered_parts", "extra_json")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    GROUNDING_CHUNK_INDICES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_SCORES_FIELD_NUMBER: _ClassVar[int]
    RENDERED_PARTS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    segment: Segment
    grounding_chunk_indices: _containers.RepeatedScalarFieldContainer[int]
    confidence_scores: _containers.RepeatedScalarFieldContainer[float]
    rendered_parts: _containers.RepeatedScalarFieldContainer[int]
    extra_json: str
    def __init__(self, segment: _Optional[_Union[Segment, _Mapping]] = ..., grounding_chunk_indices: _Optional[_Iterable[int]] = ..., confidence_scores: _Optional[_Iterable[float]] = ..., rendered_parts: _Optional[_Iterable[int]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("part_index", "start_index", "end_index", "text", "extra_json")
    PART_INDEX_FIELD_NUMBER: _ClassVar[int]
    START_INDEX_FIELD_NUMBER: _ClassVar[int]
    END_INDEX_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    part_index: int
    start_index: int
    end_index: int
    text: str
    extra_json: str
    def __init__(self, part_index: _Optional[int] = ..., start_index: _Optional[int] = ..., end_index: _Optional[int] = ..., text: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RetrievalMetadata(_message.Message):
    __slots__ = ("google_search_dynamic_retrieval_score", "extra_json")
    GOOGLE_SEARCH_DYNAMIC_RETRIEVAL_SCORE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    google_search_dynamic_retrieval_score: float
    extra_json: str
    def __init__(self, google_search_dynamic_retrieval_score: _Optional[float] = ..., extra_json: _Optional[str] = ...) -> None: ...

class SourceFlaggingUri(_message.Message):
    __slots__ = ("source_id", "flag_content_uri", "extra_json")
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    FLAG_CONTENT_URI_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    source_id: str
    flag_content_uri: str
    extra_json: str
    def __init__(self, source_id: _Optional[str] = ..., flag_content_uri: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...
