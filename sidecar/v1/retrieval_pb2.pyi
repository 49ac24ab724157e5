from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FileSearch(_message.Message):
    __slots__ = ("file_search_store_names", "top_k", "metadata_filter", "extra_json")
    FILE_SEARCH_STORE_NAMES_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    METADATA_FILTER_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    file_search_store_names: _containers.RepeatedScalarFieldContainer[str]
    top_k: int
    metadata_filter: str
    extra_json: str
    def __init__(self, file_search_store_names: _Optional[_Iterable[str]] = ..., top_k: _Optional[int] = ..., metadata_filter: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class Retrieval(_message.Message):
    __slots__ = ("vertex_ai_search", "vertex_rag_store", "disable_attribution", "extra_json")
    VERTEX_AI_SEARCH_FIELD_NUMBER: _ClassVar[int]
    VERTEX_RAG_STORE_FIELD_NUMBER: _ClassVar[int]
    DISABLE_ATTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    vertex_ai_search: VertexAiSearch
    vertex_rag_store: VertexRagStore
    disable_attribution: bool
    extra_json: str
    def __init__(self, vertex_ai_search: _Optional[_Union[VertexAiSearch, _Mapping]] = ..., vertex_rag_store: _Optional[_Union[VertexRagStore, _Mapping]] = ..., disable_attribution: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...

class VertexAiSearch(_message.Message):
    __slots__ = ("datastore", "engine", "data_store_specs", "max_results", "filter", "extra_json")
    DATASTORE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    DATA_STORE_SPECS_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULTS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    datastore: str
    engine: str
    data_store_specs: _containers.RepeatedCompositeFieldContainer[DataStoreSpec]
    max_results: int
    filter: str
    extra_json: str
    def __init__(self, datastore: _Optional[str] = ..., engine: _Optional[str] = ..., data_store_specs: _Optional[_Iterable[_Union[DataStoreSpec, _Mapping]]] = ..., max_results: _Optional[int] = ..., filter: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class DataStoreSpec(_message.Message):
    __slots__ = ("data_store", "filter", "extra_json")
    DATA_STORE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    data_store: str
    filter: str
    extra_json: str
    def __init__(self, data_store: _Optional[str] = ..., filter: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class VertexRagStore(_message.Message):
    __slots__ = ("rag_resources", "rag_retrieval_config", "store_context", "extra_json")
    RAG_RESOURCES_FIELD_NUMBER: _ClassVar[int]
    RAG_RETRIEVAL_CONFIG_FIELD_NUMBER: _ClassVar[int]
    STORE_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    rag_resources: _containers.RepeatedCompositeFieldContainer[RagResource]
    rag_retrieval_config: RagRetrievalConfig
    store_context: bool
    extra_json: str
    def __init__(self, rag_resources: _Optional[_Iterable[_Union[RagResource, _Mapping]]] = ..., rag_retrieval_config: _Optional[_Union[RagRetrievalConfig, _Mapping]] = ..., store_context: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagResource(_message.Message):
    __slots__ = ("rag_corpus", "rag_file_ids", "extra_json")
    RAG_CORPUS_FIELD_NUMBER: _ClassVar[int]
    RAG_FILE_IDS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    rag_corpus: str
    rag_file_ids: _containers.RepeatedScalarFieldContainer[str]
    extra_json: str
    def __init__(self, rag_corpus: _Optional[str] = ..., rag_file_ids: _Optional[_Iterable[str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagRetrievalConfig(_message.Message):
    __slots__ = ("top_k", "filter", "hybrid_search", "ranking", "extra_json")
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    HYBRID_SEARCH_FIELD_NUMBER: _ClassVar[int]
    RANKING_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    top_k: int
    filter: RagFilter
    hybrid_search: RagHybridSearch
    ranking: RagRanking
    extra_json: str
    def __init__(self, top_k: _Optional[int] = ..., filter: _Optional[_Union[RagFilter, _Mapping]] = ..., hybrid_search: _Optional[_Union[RagHybridSearch, _Mapping]] = ..., ranking: _Optional[_Union[RagRanking, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagFilter(_message.Message):
    __slots__ = ("metadata_filter", "vector_distance_threshold", "vector_similarity_threshold", "extra_json")
    METADATA_FILTER_FIELD_NUMBER: _ClassVar[int]
    VECTOR_DISTANCE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    VECTOR_SIMILARITY_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    metadata_filter: str
    vector_distance_threshold: float
    vector_similarity_threshold: float
    extra_json: str
    def __init__(self, metadata_filter: _Optional[str] = ..., vector_distance_threshold: _Optional[float] = ..., vector_similarity_threshold: _Optional[float] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagHybridSearch(_message.Message):
    __slots__ = ("alpha", "extra_json")
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    extra_json: str
    def __init__(self, alpha: _Optional[float] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagRanking(_message.Message):
    __slots__ = ("llm_ranker", "rank_service", "extra_json")
    LLM_RANKER_FIELD_NUMBER: _ClassVar[int]
    RANK_SERVICE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    llm_ranker: RagLlmRanker
    rank_service: RagRankService
    extra_json: str
    def __init__(self, llm_ranker: _Optional[_Union[RagLlmRanker, _Mapping]] = ..., rank_service: _Optional[_Union[RagRankService, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagLlmRanker(_message.Message):
    __slots__ = ("model_name", "extra_json")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    extra_json: str
    def __init__(self, model_name: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RagRankService(_message.Message):
    __slots__ = ("model_name", "extra_json")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    extra_json: str
    def __init__(self, model_name: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...
