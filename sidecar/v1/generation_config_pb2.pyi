from sidecar.v1 import media_pb2 as _media_pb2
from sidecar.v1 import response_format_pb2 as _response_format_pb2
from sidecar.v1 import schema_pb2 as _schema_pb2
from sidecar.v1 import speech_pb2 as _speech_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ThinkingLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    THINKING_LEVEL_UNSPECIFIED: _ClassVar[ThinkingLevel]
    THINKING_LEVEL_MINIMAL: _ClassVar[ThinkingLevel]
    THINKING_LEVEL_LOW: _ClassVar[ThinkingLevel]
    THINKING_LEVEL_MEDIUM: _ClassVar[ThinkingLevel]
    THINKING_LEVEL_HIGH: _ClassVar[ThinkingLevel]
    THINKING_LEVEL_XHIGH: _ClassVar[ThinkingLevel]

class ResponseModality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESPONSE_MODALITY_UNSPECIFIED: _ClassVar[ResponseModality]
    RESPONSE_MODALITY_TEXT: _ClassVar[ResponseModality]
    RESPONSE_MODALITY_IMAGE: _ClassVar[ResponseModality]
    RESPONSE_MODALITY_AUDIO: _ClassVar[ResponseModality]
    RESPONSE_MODALITY_VIDEO: _ClassVar[ResponseModality]

class ModelRoutingPreference(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_ROUTING_PREFERENCE_UNSPECIFIED: _ClassVar[ModelRoutingPreference]
    MODEL_ROUTING_PREFERENCE_PRIORITIZE_QUALITY: _ClassVar[ModelRoutingPreference]
    MODEL_ROUTING_PREFERENCE_BALANCED: _ClassVar[ModelRoutingPreference]
    MODEL_ROUTING_PREFERENCE_PRIORITIZE_COST: _ClassVar[ModelRoutingPreference]

class FeatureSelectionPreference(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEATURE_SELECTION_PREFERENCE_UNSPECIFIED: _ClassVar[FeatureSelectionPreference]
    FEATURE_SELECTION_PREFERENCE_PRIORITIZE_QUALITY: _ClassVar[FeatureSelectionPreference]
    FEATURE_SELECTION_PREFERENCE_BALANCED: _ClassVar[FeatureSelectionPreference]
    FEATURE_SELECTION_PREFERENCE_PRIORITIZE_COST: _ClassVar[FeatureSelectionPreference]

class TranscriptionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSCRIPTION_MODE_UNSPECIFIED: _ClassVar[TranscriptionMode]
    TRANSCRIPTION_MODE_VERBATIM: _ClassVar[TranscriptionMode]
    TRANSCRIPTION_MODE_SMART: _ClassVar[TranscriptionMode]
THINKING_LEVEL_UNSPECIFIED: ThinkingLevel
THINKING_LEVEL_MINIMAL: ThinkingLevel
THINKING_LEVEL_LOW: ThinkingLevel
THINKING_LEVEL_MEDIUM: ThinkingLevel
THINKING_LEVEL_HIGH: ThinkingLevel
THINKING_LEVEL_XHIGH: ThinkingLevel
RESPONSE_MODALITY_UNSPECIFIED: ResponseModality
RESPONSE_MODALITY_TEXT: ResponseModality
RESPONSE_MODALITY_IMAGE: ResponseModality
RESPONSE_MODALITY_AUDIO: ResponseModality
RESPONSE_MODALITY_VIDEO: ResponseModality
MODEL_ROUTING_PREFERENCE_UNSPECIFIED: ModelRoutingPreference
MODEL_ROUTING_PREFERENCE_PRIORITIZE_QUALITY: ModelRoutingPreference
MODEL_ROUTING_PREFERENCE_BALANCED: ModelRoutingPreference
MODEL_ROUTING_PREFERENCE_PRIORITIZE_COST: ModelRoutingPreference
FEATURE_SELECTION_PREFERENCE_UNSPECIFIED: FeatureSelectionPreference
FEATURE_SELECTION_PREFERENCE_PRIORITIZE_QUALITY: FeatureSelectionPreference
FEATURE_SELECTION_PREFERENCE_BALANCED: FeatureSelectionPreference
FEATURE_SELECTION_PREFERENCE_PRIORITIZE_COST: FeatureSelectionPreference
TRANSCRIPTION_MODE_UNSPECIFIED: TranscriptionMode
TRANSCRIPTION_MODE_VERBATIM: TranscriptionMode
TRANSCRIPTION_MODE_SMART: TranscriptionMode

class GenerationConfig(_message.Message):
    __slots__ = ("temperature", "top_p", "top_k", "candidate_count", "max_output_tokens", "stop_sequences", "response_logprobs", "logprobs", "presence_penalty", "frequency_penalty", "seed", "response_mime_type", "response_schema", "response_json_schema", "response_modalities", "media_resolution", "speech_config", "thinking_config", "image_config", "audio_timestamp", "enable_enhanced_civic_answers", "audio_transcription_config", "response_format", "routing_config", "model_config", "extra_json")
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STOP_SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_PENALTY_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_PENALTY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    MEDIA_RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    SPEECH_CONFIG_FIELD_NUMBER: _ClassVar[int]
    THINKING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    IMAGE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    ENABLE_ENHANCED_CIVIC_ANSWERS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_TRANSCRIPTION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    ROUTING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    top_p: float
    top_k: float
    candidate_count: int
    max_output_tokens: int
    stop_sequences: _containers.RepeatedScalarFieldContainer[str]
    response_logprobs: bool
    logprobs: int
    presence_penalty: float
    frequency_penalty: float
    seed: int
    response_mime_type: str
    response_schema: _schema_pb2.Schema
    response_json_schema: str
    response_modalities: _containers.RepeatedScalarFieldContainer[ResponseModality]
    media_resolution: _media_pb2.MediaResolution
    speech_config: _speech_pb2.SpeechConfig
    thinking_config: ThinkingConfig
    image_config: _response_format_pb2.ImageConfig
    audio_timestamp: bool
    enable_enhanced_civic_answers: bool
    audio_transcription_config: AudioTranscriptionConfig
    response_format: _containers.RepeatedCompositeFieldContainer[_response_format_pb2.ResponseFormat]
    routing_config: RoutingConfig
    model_config: ModelConfig
    extra_json: str
    def __init__(self, temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., top_k: _Optional[float] = ..., candidate_count: _Optional[int] = ..., max_output_tokens: _Optional[int] = ..., stop_sequences: _Optional[_Iterable[str]] = ..., response_logprobs: _Optional[bool] = ..., logprobs: _Optional[int] = ..., presence_penalty: _Optional[float] = ..., frequency_penalty: _Optional[float] = ..., seed: _Optional[int] = ..., response_mime_type: _Optional[str] = ..., response_schema: _Optional[_Union[_schema_pb2.Schema, _Mapping]] = ..., response_json_schema: _Optional[str] = ..., response_modalities: _Optional[_Iterable[_Union[ResponseModality, str]]] = ..., media_resolution: _Optional[_Union[_media_pb2.MediaResolution, str]] = ..., speech_config: _Optional[_Union[_speech_pb2.SpeechConfig, _Mapping]] = ..., thinking_config: _Optional[_Union[ThinkingConfig, _Mapping]] = ..., image_config: _Optional[_Union[_response_format_pb2.ImageConfig, _Mapping]] = ..., audio_timestamp: _Optional[bool] = ..., enable_enhanced_civic_answers: _Optional[bool] = ..., audio_transcription_config: _Optional[_Union[AudioTranscriptionConfig, _Mapping]] = ..., response_format: _Optional[_Iterable[_Union[_response_format_pb2.ResponseFormat, _Mapping]]] = ..., routing_config: _Optional[_Union[RoutingConfig, _Mapping]] = ..., model_config: _Optional[_Union[ModelConfig, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ThinkingConfig(_message.Message):
    __slots__ = ("include_thoughts", "thinking_budget", "thinking_level", "extra_json")
    INCLUDE_THOUGHTS_FIELD_NUMBER: _ClassVar[int]
    THINKING_BUDGET_FIELD_NUMBER: _ClassVar[int]
    THINKING_LEVEL_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    include_thoughts: bool
    thinking_budget: int
    thinking_level: ThinkingLevel
    extra_json: str
    def __init__(self, include_thoughts: _Optional[bool] = ..., thinking_budget: _Optional[int] = ..., thinking_level: _Optional[_Union[ThinkingLevel, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class RoutingConfig(_message.Message):
    __slots__ = ("auto_mode", "manual_mode", "extra_json")
    AUTO_MODE_FIELD_NUMBER: _ClassVar[int]
    MANUAL_MODE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    auto_mode: AutoRoutingMode
    manual_mode: ManualRoutingMode
    extra_json: str
    def __init__(self, auto_mode: _Optional[_Union[AutoRoutingMode, _Mapping]] = ..., manual_mode: _Optional[_Union[ManualRoutingMode, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class AutoRoutingMode(_message.Message):
    __slots__ = ("model_routing_preference", "extra_json")
    MODEL_ROUTING_PREFERENCE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    model_routing_preference: ModelRoutingPreference
    extra_json: str
    def __init__(self, model_routing_preference: _Optional[_Union[ModelRoutingPreference, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ManualRoutingMode(_message.Message):
    __slots__ = ("model_name", "extra_json")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    extra_json: str
    def __init__(self, model_name: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ModelConfig(_message.Message):
    __slots__ = ("feature_selection_preference", "extra_json")
    FEATURE_SELECTION_PREFERENCE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    feature_selection_preference: FeatureSelectionPreference
    extra_json: str
    def __init__(self, feature_selection_preference: _Optional[_Union[FeatureSelectionPreference, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class AudioTranscriptionConfig(_message.Message):
    __slots__ = ("language_codes", "custom_vocabulary", "word_timestamp", "diarization", "mode", "source_text", "extra_json")
    LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_VOCABULARY_FIELD_NUMBER: _ClassVar[int]
    WORD_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DIARIZATION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_TEXT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    language_codes: _containers.RepeatedScalarFieldContainer[str]
    custom_vocabulary: _containers.RepeatedScalarFieldContainer[str]
    word_timestamp: bool
    diarization: bool
    mode: TranscriptionMode
    source_text: str
    extra_json: str
    def __init__(self, language_codes: _Optional[_Iterable[str]] = ..., custom_vocabulary: _Optional[_Iterable[str]] = ..., word_timestamp: _Optional[bool] = ..., diarization: _Optional[bool] = ..., mode: _Optional[_Union[TranscriptionMode, str]] = ..., source_text: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...
