"""The kinds of values that a request may have: scalars and the API's enumerations.

Decides the names of enum values and their numbers; which field has which kind is the table in `fields`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique


@unique
class Scalar(Enum):
    """A JSON value without inner structure; the value is the type's name in Google's error texts."""

    STRING = "TYPE_STRING"
    BOOL = "TYPE_BOOL"
    INT32 = "TYPE_INT32"
    INT64 = "TYPE_INT64"
    FLOAT = "TYPE_FLOAT"
    BYTES = "TYPE_BYTES"
    STRUCT = "type.googleapis.com/google.protobuf.Struct"
    JSON = "type.googleapis.com/google.protobuf.Value"


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An enum: its name, and its values in the order of their numbers, from 0."""

    name: str
    values: tuple[str, ...]


STRING, BOOL, INT32, INT64 = Scalar.STRING, Scalar.BOOL, Scalar.INT32, Scalar.INT64
FLOAT, BYTES, STRUCT, JSON = Scalar.FLOAT, Scalar.BYTES, Scalar.STRUCT, Scalar.JSON


def _enumeration(name: str, values: str) -> Enumeration:
    return Enumeration(name, tuple(values.split()))


HARM_CATEGORY = _enumeration(
    "HarmCategory",
    "HARM_CATEGORY_UNSPECIFIED HARM_CATEGORY_DEROGATORY HARM_CATEGORY_TOXICITY HARM_CATEGORY_VIOLENCE "
    "HARM_CATEGORY_SEXUAL HARM_CATEGORY_MEDICAL HARM_CATEGORY_DANGEROUS HARM_CATEGORY_HARASSMENT "
    "HARM_CATEGORY_HATE_SPEECH HARM_CATEGORY_SEXUALLY_EXPLICIT HARM_CATEGORY_DANGEROUS_CONTENT "
    "HARM_CATEGORY_CIVIC_INTEGRITY HARM_CATEGORY_JAILBREAK HARM_CATEGORY_IMAGE_HATE "
    "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT HARM_CATEGORY_IMAGE_HARASSMENT "
    "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
)
THRESHOLD = _enumeration(
    "HarmBlockThreshold",
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH BLOCK_NONE "
    "OFF",
)
BLOCK_METHOD = _enumeration("HarmBlockMethod", "HARM_BLOCK_METHOD_UNSPECIFIED SEVERITY PROBABILITY")
TYPE = _enumeration("Type", "TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL")
CALLING_MODE = _enumeration("FunctionCallingConfig.Mode", "MODE_UNSPECIFIED AUTO ANY NONE VALIDATED")
THINKING_LEVEL = _enumeration("ThinkingLevel", "THINKING_LEVEL_UNSPECIFIED LOW MEDIUM HIGH MINIMAL XHIGH")
_RESOLUTION_NAMES = (
    "MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW MEDIA_RESOLUTION_MEDIUM MEDIA_RESOLUTION_HIGH"
)
RESOLUTION = _enumeration("MediaResolution", _RESOLUTION_NAMES)
PART_RESOLUTION = _enumeration("MediaResolution.Level", _RESOLUTION_NAMES + " MEDIA_RESOLUTION_ULTRA_HIGH")
MODALITY = _enumeration("Modality", "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO VIDEO")
LANGUAGE = _enumeration("ExecutableCode.Language", "LANGUAGE_UNSPECIFIED PYTHON")
OUTCOME = _enumeration(
    "CodeExecutionResult.Outcome", "OUTCOME_UNSPECIFIED OUTCOME_OK OUTCOME_FAILED OUTCOME_DEADLINE_EXCEEDED"
)
SCHEDULING = _enumeration("FunctionResponse.Scheduling", "SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT")
BEHAVIOR = _enumeration("FunctionDeclaration.Behavior", "UNSPECIFIED BLOCKING NON_BLOCKING")
TASK_TYPE = _enumeration(
    "TaskType",
    "TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING "
    "QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY",
)
