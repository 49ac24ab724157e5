from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HarmCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HARM_CATEGORY_UNSPECIFIED: _ClassVar[HarmCategory]
    HARM_CATEGORY_HARASSMENT: _ClassVar[HarmCategory]
    HARM_CATEGORY_HATE_SPEECH: _ClassVar[HarmCategory]
    HARM_CATEGORY_SEXUALLY_EXPLICIT: _ClassVar[HarmCategory]
    HARM_CATEGORY_DANGEROUS_CONTENT: _ClassVar[HarmCategory]
    HARM_CATEGORY_CIVIC_INTEGRITY: _ClassVar[HarmCategory]
    HARM_CATEGORY_JAILBREAK: _ClassVar[HarmCategory]
    HARM_CATEGORY_IMAGE_HATE: _ClassVar[HarmCategory]
    HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT: _ClassVar[HarmCategory]
    HARM_CATEGORY_IMAGE_HARASSMENT: _ClassVar[HarmCategory]
    HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT: _ClassVar[HarmCategory]

class HarmBlockThreshold(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HARM_BLOCK_THRESHOLD_UNSPECIFIED: _ClassVar[HarmBlockThreshold]
    HARM_BLOCK_THRESHOLD_BLOCK_LOW_AND_ABOVE: _ClassVar[HarmBlockThreshold]
    HARM_BLOCK_THRESHOLD_BLOCK_MEDIUM_AND_ABOVE: _ClassVar[HarmBlockThreshold]
    HARM_BLOCK_THRESHOLD_BLOCK_ONLY_HIGH: _ClassVar[HarmBlockThreshold]
    HARM_BLOCK_THRESHOLD_BLOCK_NONE: _ClassVar[HarmBlockThreshold]
    HARM_BLOCK_THRESHOLD_OFF: _ClassVar[HarmBlockThreshold]

class HarmBlockMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HARM_BLOCK_METHOD_UNSPECIFIED: _ClassVar[HarmBlockMethod]
    HARM_BLOCK_METHOD_SEVERITY: _ClassVar[HarmBlockMethod]
    HARM_BLOCK_METHOD_PROBABILITY: _ClassVar[HarmBlockMethod]

class HarmProbability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HARM_PROBABILITY_UNSPECIFIED: _ClassVar[HarmProbability]
    HARM_PROBABILITY_NEGLIGIBLE: _ClassVar[HarmProbability]
    HARM_PROBABILITY_LOW: _ClassVar[HarmProbability]
    HARM_PROBABILITY_MEDIUM: _ClassVar[HarmProbability]
    HARM_PROBABILITY_HIGH: _ClassVar[HarmProbability]

class HarmSeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HARM_SEVERITY_UNSPECIFIED: _ClassVar[HarmSeverity]
    HARM_SEVERITY_NEGLIGIBLE: _ClassVar[HarmSeverity]
    HARM_SEVERITY_LOW: _ClassVar[HarmSeverity]
    HARM_SEVERITY_MEDIUM: _ClassVar[HarmSeverity]
    HARM_SEVERITY_HIGH: _ClassVar[HarmSeverity]

class BlockReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BLOCK_REASON_UNSPECIFIED: _ClassVar[BlockReason]
    BLOCK_REASON_SAFETY: _ClassVar[BlockReason]
    BLOCK_REASON_OTHER: _ClassVar[BlockReason]
    BLOCK_REASON_BLOCKLIST: _ClassVar[BlockReason]
    BLOCK_REASON_PROHIBITED_CONTENT: _ClassVar[BlockReason]
    BLOCK_REASON_IMAGE_SAFETY: _ClassVar[BlockReason]
    BLOCK_REASON_MODEL_ARMOR: _ClassVar[BlockReason]
    BLOCK_REASON_JAILBREAK: _ClassVar[BlockReason]
HARM_CATEGORY_UNSPECIFIED: HarmCategory
HARM_CATEGORY_HARASSMENT: HarmCategory
HARM_CATEGORY_HATE_SPEECH: HarmCategory
HARM_CATEGORY_SEXUALLY_EXPLICIT: HarmCategory
HARM_CATEGORY_DANGEROUS_CONTENT: HarmCategory
HARM_CATEGORY_CIVIC_INTEGRITY: HarmCategory
HARM_CATEGORY_JAILBREAK: HarmCategory
HARM_CATEGORY_IMAGE_HATE: HarmCategory
HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT: HarmCategory
HARM_CATEGORY_IMAGE_HARASSMENT: HarmCategory
HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT: HarmCategory
HARM_BLOCK_THRESHOLD_UNSPECIFIED: HarmBlockThreshold
HARM_BLOCK_THRESHOLD_BLOCK_LOW_AND_ABOVE: HarmBlockThreshold
HARM_BLOCK_THRESHOLD_BLOCK_MEDIUM_AND_ABOVE: HarmBlockThreshold
HARM_BLOCK_THRESHOLD_BLOCK_ONLY_HIGH: HarmBlockThreshold
HARM_BLOCK_THRESHOLD_BLOCK_NONE: HarmBlockThreshold
HARM_BLOCK_THRESHOLD_OFF: HarmBlockThreshold
HARM_BLOCK_METHOD_UNSPECIFIED: HarmBlockMethod
HARM_BLOCK_METHOD_SEVERITY: HarmBlockMethod
HARM_BLOCK_METHOD_PROBABILITY: HarmBlockMethod
HARM_PROBABILITY_UNSPECIFIED: HarmProbability
HARM_PROBABILITY_NEGLIGIBLE: HarmProbability
HARM_PROBABILITY_LOW: HarmProbability
HARM_PROBABILITY_MEDIUM: HarmProbability
HARM_PROBABILITY_HIGH: HarmProbability
HARM_SEVERITY_UNSPECIFIED: HarmSeverity
HARM_SEVERITY_NEGLIGIBLE: HarmSeverity
HARM_SEVERITY_LOW: HarmSeverity
HARM_SEVERITY_MEDIUM: HarmSeverity
HARM_SEVERITY_HIGH: HarmSeverity
BLOCK_REASON_UNSPECIFIED: BlockReason
BLOCK_REASON_SAFETY: BlockReason
BLOCK_REASON_OTHER: BlockReason
BLOCK_REASON_BLOCKLIST: BlockReason
BLOCK_REASON_PROHIBITED_CONTENT: BlockReason
BLOCK_REASON_IMAGE_SAFETY: BlockReason
BLOCK_REASON_MODEL_ARMOR: BlockReason
BLOCK_REASON_JAILBREAK: BlockReason

class SafetySetting(_message.Message):
    __slots__ = ("category", "threshold", "method", "extra_json")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    category: HarmCategory
    threshold: HarmBlockThreshold
    method: HarmBlockMethod
    extra_json: str
    def __init__(self, category: _Optional[_Union[HarmCategory, str]] = ..., threshold: _Optional[_Union[HarmBlockThreshold, str]] = ..., method: _Optional[_Union[HarmBlockMethod, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class SafetyRating(_message.Message):
    __slots__ = ("category", "probability", "probability_score", "severity", "severity_score", "blocked", "overwritten_threshold", "extra_json")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_SCORE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_SCORE_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    OVERWRITTEN_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    category: HarmCategory
    probability: HarmProbability
    probability_score: float
    severity: HarmSeverity
    severity_score: float
    blocked: bool
    overwritten_threshold: HarmBlockThreshold
    extra_json: str
    def __init__(self, category: _Optional[_Union[HarmCategory, str]] = ..., probability: _Optional[_Union[HarmProbability, str]] = ..., probability_score: _Optional[float] = ..., severity: _Optional[_Union[HarmSeverity, str]] = ..., severity_score: _Optional[float] = ..., blocked: _Optional[bool] = ..., overwritten_threshold: _Optional[_Union[HarmBlockThreshold, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class PromptFeedback(_message.Message):
    __slots__ = ("block_reason", "block_reason_message", "safety_ratings", "extra_json")
    BLOCK_REASON_FIELD_NUMBER: _ClassVar[int]
    BLOCK_REASON_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SAFETY_RATINGS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    block_reason: BlockReason
    block_reason_message: str
    safety_ratings: _containers.RepeatedCompositeFieldContainer[SafetyRating]
    extra_json: str
    def __init__(self, block_reason: _Optional[_Union[BlockReason, str]] = ..., block_reason_message: _Optional[str] = ..., safety_ratings: _Optional[_Iterable[_Union[SafetyRating, _Mapping]]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ModelArmorConfig(_message.Message):
    __slots__ = ("prompt_template_name", "response_template_name", "extra_json")
    PROMPT_TEMPLATE_NAME_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_TEMPLATE_NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    prompt_template_name: str
    response_template_name: str
    extra_json: str
    def __init__(self, prompt_template_name: _Optional[str] = ..., response_template_name: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...
