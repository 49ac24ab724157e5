import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from sidecar.v1 import function_pb2 as _function_pb2
from sidecar.v1 import retrieval_pb2 as _retrieval_pb2
from sidecar.v1 import search_pb2 as _search_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FunctionCallingMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FUNCTION_CALLING_MODE_UNSPECIFIED: _ClassVar[FunctionCallingMode]
    FUNCTION_CALLING_MODE_AUTO: _ClassVar[FunctionCallingMode]
    FUNCTION_CALLING_MODE_ANY: _ClassVar[FunctionCallingMode]
    FUNCTION_CALLING_MODE_NONE: _ClassVar[FunctionCallingMode]
    FUNCTION_CALLING_MODE_VALIDATED: _ClassVar[FunctionCallingMode]

class Environment(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENVIRONMENT_UNSPECIFIED: _ClassVar[Environment]
    ENVIRONMENT_BROWSER: _ClassVar[Environment]
    ENVIRONMENT_MOBILE: _ClassVar[Environment]
    ENVIRONMENT_DESKTOP: _ClassVar[Environment]

class SafetyPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SAFETY_POLICY_UNSPECIFIED: _ClassVar[SafetyPolicy]
    SAFETY_POLICY_FINANCIAL_TRANSACTIONS: _ClassVar[SafetyPolicy]
    SAFETY_POLICY_SENSITIVE_DATA_MODIFICATION: _ClassVar[SafetyPolicy]
    SAFETY_POLICY_COMMUNICATION_TOOL: _ClassVar[SafetyPolicy]
    SAFETY_POLICY_ACCOUNT_CREATION: _ClassVar[SafetyPolicy]
    SAFETY_POLICY_DATA_MODIFICATION: _ClassVar[SafetyPolicy]
    SAFETY_POLICY_USER_CONSENT_MANAGEMENT: _ClassVar[SafetyPolicy]
    SAFETY_POLICY_LEGAL_TERMS_AND_AGREEMENTS: _ClassVar[SafetyPolicy]
FUNCTION_CALLING_MODE_UNSPECIFIED: FunctionCallingMode
FUNCTION_CALLING_MODE_AUTO: FunctionCallingMode
FUNCTION_CALLING_MODE_ANY: FunctionCallingMode
FUNCTION_CALLING_MODE_NONE: FunctionCallingMode
FUNCTION_CALLING_MODE_VALIDATED: FunctionCallingMode
ENVIRONMENT_UNSPECIFIED: Environment
ENVIRONMENT_BROWSER: Environment
ENVIRONMENT_MOBILE: Environment
ENVIRONMENT_DESKTOP: Environment
SAFETY_POLICY_UNSPECIFIED: SafetyPolicy
SAFETY_POLICY_FINANCIAL_TRANSACTIONS: SafetyPolicy
SAFETY_POLICY_SENSITIVE_DATA_MODIFICATION: SafetyPolicy
SAFETY_POLICY_COMMUNICATION_TOOL: SafetyPolicy
SAFETY_POLICY_ACCOUNT_CREATION: SafetyPolicy
SAFETY_POLICY_DATA_MODIFICATION: SafetyPolicy
SAFETY_POLICY_USER_CONSENT_MANAGEMENT: SafetyPolicy
SAFETY_POLICY_LEGAL_TERMS_AND_AGREEMENTS: SafetyPolicy

class Tool(_message.Message):
    __slots__ = ("function_declarations", "google_search", "google_search_retrieval", "google_maps", "code_execution", "url_context", "file_search", "computer_use", "mcp_servers", "retrieval", "enterprise_web_search", "parallel_ai_search", "exa_ai_search", "extra_json")
    FUNCTION_DECLARATIONS_FIELD_NUMBER: _ClassVar[int]
    GOOGLE_SEARCH_FIELD_NUMBER: _ClassVar[int]
    GOOGLE_SEARCH_RETRIEVAL_FIELD_NUMBER: _ClassVar[int]
    GOOGLE_MAPS_FIELD_NUMBER: _ClassVar[int]
    CODE_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    URL_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    FILE_SEARCH_FIELD_NUMBER: _ClassVar[int]
    COMPUTER_USE_FIELD_NUMBER: _ClassVar[int]
    MCP_SERVERS_FIELD_NUMBER: _ClassVar[int]
    RETRIEVAL_FIELD_NUMBER: _ClassVar[int]
    ENTERPRISE_WEB_SEARCH_FIELD_NUMBER: _ClassVar[int]
    PARALLEL_AI_SEARCH_FIELD_NUMBER: _ClassVar[int]
    EXA_AI_SEARCH_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    function_declarations: _containers.RepeatedCompositeFieldContainer[_function_pb2.FunctionDeclaration]
    google_search: _search_pb2.GoogleSearch
    google_search_retrieval: _search_pb2.GoogleSearchRetrieval
    google_maps: _search_pb2.GoogleMaps
    code_execution: CodeExecution
    url_context: UrlContext
    file_search: _retrieval_pb2.FileSearch
    computer_use: ComputerUse
    mcp_servers: _containers.RepeatedCompositeFieldContainer[McpServer]
    retrieval: _retrieval_pb2.Retrieval
    enterprise_web_search: _search_pb2.EnterpriseWebSearch
    parallel_ai_search: _search_pb2.ParallelAiSearch
    exa_ai_search: _search_pb2.ExaAiSearch
    extra_json: str
    def __init__(self, function_declarations: _Optional[_Iterable[_Union[_function_pb2.FunctionDeclaration, _Mapping]]] = ..., google_search: _Optional[_Union[_search_pb2.GoogleSearch, _Mapping]] = ..., google_search_retrieval: _Optional[_Union[_search_pb2.GoogleSearchRetrieval, _Mapping]] = ..., google_maps: _Optional[_Union[_search_pb2.GoogleMaps, _Mapping]] = ..., code_execution: _Optional[_Union[CodeExecution, _Mapping]] = ..., url_context: _Optional[_Union[UrlContext, _Mapping]] = ..., file_search: _Optional[_Union[_retrieval_pb2.FileSearch, _Mapping]] = ..., computer_use: _Optional[_Union[ComputerUse, _Mapping]] = ..., mcp_servers: _Optional[_Iterable[_Union[McpServer, _Mapping]]] = ..., retrieval: _Optional[_Union[_retrieval_pb2.Retrieval, _Mapping]] = ..., enterprise_web_search: _Optional[_Union[_search_pb2.EnterpriseWebSearch, _Mapping]] = ..., parallel_ai_search: _Optional[_Union[_search_pb2.ParallelAiSearch, _Mapping]] = ..., exa_ai_search: _Optional[_Union[_search_pb2.ExaAiSearch, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ToolConfig(_message.Message):
    __slots__ = ("function_calling_config", "retrieval_config", "include_server_side_tool_invocations", "extra_json")
    FUNCTION_CALLING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    RETRIEVAL_CONFIG_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SERVER_SIDE_TOOL_INVOCATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    function_calling_config: FunctionCallingConfig
    retrieval_config: RetrievalConfig
    include_server_side_tool_invocations: bool
    extra_json: str
    def __init__(self, function_calling_config: _Optional[_Union[FunctionCallingConfig, _Mapping]] = ..., retrieval_config: _Optional[_Union[RetrievalConfig, _Mapping]] = ..., include_server_side_tool_invocations: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...

class FunctionCallingConfig(_message.Message):
    __slots__ = ("mode", "allowed_function_names", "stream_function_call_arguments", "extra_json")
    MODE_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FUNCTION_NAMES_FIELD_NUMBER: _ClassVar[int]
    STREAM_FUNCTION_CALL_ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mode: FunctionCallingMode
    allowed_function_names: _containers.RepeatedScalarFieldContainer[str]
    stream_function_call_arguments: bool
    extra_json: str
    def __init__(self, mode: _Optional[_Union[FunctionCallingMode, str]] = ..., allowed_function_names: _Optional[_Iterable[str]] = ..., stream_function_call_arguments: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RetrievalConfig(_message.Message):
    __slots__ = ("lat_lng", "language_code", "extra_json")
    LAT_LNG_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    lat_lng: LatLng
    language_code: str
    extra_json: str
    def __init__(self, lat_lng: _Optional[_Union[LatLng, _Mapping]] = ..., language_code: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class LatLng(_message.Message):
    __slots__ = ("latitude", "longitude", "extra_json")
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    latitude: float
    longitude: float
    extra_json: str
    def __init__(self, latitude: _Optional[float] = ..., longitude: _Optional[float] = ..., extra_json: _Optional[str] = ...) -> None: ...

class CodeExecution(_message.Message):
    __slots__ = ("extra_json",)
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    extra_json: str
    def __init__(self, extra_json: _Optional[str] = ...) -> None: ...

class UrlContext(_message.Message):
    __slots__ = ("extra_json",)
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    extra_json: str
    def __init__(self, extra_json: _Optional[str] = ...) -> None: ...

class ComputerUse(_message.Message):
    __slots__ = ("environment", "excluded_predefined_functions", "enable_prompt_injection_detection", "disabled_safety_policies", "extra_json")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_PREDEFINED_FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    ENABLE_PROMPT_INJECTION_DETECTION_FIELD_NUMBER: _ClassVar[int]
    DISABLED_SAFETY_POLICIES_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    environment: Environment
    excluded_predefined_functions: _containers.RepeatedScalarFieldContainer[str]
    enable_prompt_injection_detection: bool
    disabled_safety_policies: _containers.RepeatedScalarFieldContainer[SafetyPolicy]
    extra_json: str
    def __init__(self, environment: _Optional[_Union[Environment, str]] = ..., excluded_predefined_functions: _Optional[_Iterable[str]] = ..., enable_prompt_injection_detection: _Optional[bool] = ..., disabled_safety_policies: _Optional[_Iterable[_Union[SafetyPolicy, str]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class McpServer(_message.Message):
    __slots__ = ("name", "streamable_http_transport", "extra_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STREAMABLE_HTTP_TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    streamable_http_transport: StreamableHttpTransport
    extra_json: str
    def __init__(self, name: _Optional[str] = ..., streamable_http_transport: _Optional[_Union[StreamableHttpTransport, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class StreamableHttpTransport(_message.Message):
    __slots__ = ("url", "headers", "timeout", "sse_read_timeout", "terminate_on_close", "extra_json")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    URL_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SSE_READ_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TERMINATE_ON_CLOSE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    url: str
    headers: _containers.ScalarMap[str, str]
    timeout: _duration_pb2.Duration
    sse_read_timeout: _duration_pb2.Duration
    terminate_on_close: bool
    extra_json: str
    def __init__(self, url: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., sse_read_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., terminate_on_close: _Optional[bool] = ..., extra_json: _Optional[str] = ...) -> None: ...
