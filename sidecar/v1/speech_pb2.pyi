from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpeechConfig(_message.Message):
    __slots__ = ("voice_config", "multi_speaker_voice_config", "language_code", "extra_json")
    VOICE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MULTI_SPEAKER_VOICE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    voice_config: VoiceConfig
    multi_speaker_voice_config: MultiSpeakerVoiceConfig
    language_code: str
    extra_json: str
    def __init__(self, voice_config: _Optional[_Union[VoiceConfig, _Mapping]] = ..., multi_speaker_voice_config: _Optional[_Union[MultiSpeakerVoiceConfig, _Mapping]] = ..., language_code: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class VoiceConfig(_message.Message):
    __slots__ = ("prebuilt_voice_config", "replicated_voice_config", "voice", "extra_json")
    PREBUILT_VOICE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    REPLICATED_VOICE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    prebuilt_voice_config: PrebuiltVoiceConfig
    replicated_voice_config: ReplicatedVoiceConfig
    voice: str
    extra_json: str
    def __init__(self, prebuilt_voice_config: _Optional[_Union[PrebuiltVoiceConfig, _Mapping]] = ..., replicated_voice_config: _Optional[_Union[ReplicatedVoiceConfig, _Mapping]] = ..., voice: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class PrebuiltVoiceConfig(_message.Message):
    __slots__ = ("voice_name", "extra_json")
    VOICE_NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    voice_name: str
    extra_json: str
    def __init__(self, voice_name: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ReplicatedVoiceConfig(_message.Message):
    __slots__ = ("mime_type", "voice_sample_audio", "consent_audio", "voice_consent_signature", "extra_json")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    VOICE_SAMPLE_AUDIO_FIELD_NUMBER: _ClassVar[int]
    CONSENT_AUDIO_FIELD_NUMBER: _ClassVar[int]
    VOICE_CONSENT_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    voice_sample_audio: bytes
    consent_audio: bytes
    voice_consent_signature: VoiceConsentSignature
    extra_json: str
    def __init__(self, mime_type: _Optional[str] = ..., voice_sample_audio: _Optional[bytes] = ..., consent_audio: _Optional[bytes] = ..., voice_consent_signature: _Optional[_Union[VoiceConsentSignature, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class VoiceConsentSignature(_message.Message):
    __slots__ = ("signature", "extra_json")
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    signature: str
    extra_json: str
    def __init__(self, signature: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class MultiSpeakerVoiceConfig(_message.Message):
    __slots__ = ("speaker_voice_configs", "extra_json")
    SPEAKER_VOICE_CONFIGS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    speaker_voice_configs: _containers.RepeatedCompositeFieldContainer[SpeakerVoiceConfig]
    extra_json: str
    def __init__(self, speaker_voice_configs: _Optional[_Iterable[_Union[SpeakerVoiceConfig, _Mapping]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class SpeakerVoiceConfig(_message.Message):
    __slots__ = ("speaker", "voice_config", "extra_json")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    VOICE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    speaker: str
    voice_config: VoiceConfig
    extra_json: str
    def __init__(self, speaker: _Optional[str] = ..., voice_config: _Optional[_Union[VoiceConfig, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...
