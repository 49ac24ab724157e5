"""Which fields a request may have: the messages of the Gemini API as a table.

Decides names, types and enum values, nothing else; `decode` walks a request along this table. A new field is
one line here. Fields are written in lowerCamel; the snake_case spelling follows from it.

In the table a string names another message, a list holds the type of its items, a dictionary with the key `*`
is a map with that value type, `Enumeration` lists names in the order of their numbers. `JSON` is any value,
taken as it is: free-form by nature (schemas in JSON Schema form, arguments, responses) or a corner of the API
that no reply depends on, where checking would only bring the risk of refusing what Google accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType
from typing import Any


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


_HARM_CATEGORY = _enumeration(
    "HarmCategory",
    "HARM_CATEGORY_UNSPECIFIED HARM_CATEGORY_DEROGATORY HARM_CATEGORY_TOXICITY HARM_CATEGORY_VIOLENCE "
    "HARM_CATEGORY_SEXUAL HARM_CATEGORY_MEDICAL HARM_CATEGORY_DANGEROUS HARM_CATEGORY_HARASSMENT "
    "HARM_CATEGORY_HATE_SPEECH HARM_CATEGORY_SEXUALLY_EXPLICIT HARM_CATEGORY_DANGEROUS_CONTENT "
    "HARM_CATEGORY_CIVIC_INTEGRITY HARM_CATEGORY_JAILBREAK HARM_CATEGORY_IMAGE_HATE "
    "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT HARM_CATEGORY_IMAGE_HARASSMENT "
    "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
)
_THRESHOLD = _enumeration(
    "HarmBlockThreshold",
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH BLOCK_NONE "
    "OFF",
)
_BLOCK_METHOD = _enumeration("HarmBlockMethod", "HARM_BLOCK_METHOD_UNSPECIFIED SEVERITY PROBABILITY")
_TYPE = _enumeration("Type", "TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL")
_CALLING_MODE = _enumeration("FunctionCallingConfig.Mode", "MODE_UNSPECIFIED AUTO ANY NONE VALIDATED")
_THINKING_LEVEL = _enumeration("ThinkingLevel", "THINKING_LEVEL_UNSPECIFIED LOW MEDIUM HIGH MINIMAL XHIGH")
_RESOLUTION_NAMES = (
    "MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW MEDIA_RESOLUTION_MEDIUM MEDIA_RESOLUTION_HIGH"
)
_RESOLUTION = _enumeration("MediaResolution", _RESOLUTION_NAMES)
_PART_RESOLUTION = _enumeration("MediaResolution.Level", _RESOLUTION_NAMES + " MEDIA_RESOLUTION_ULTRA_HIGH")
_MODALITY = _enumeration("Modality", "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO VIDEO")
_LANGUAGE = _enumeration("ExecutableCode.Language", "LANGUAGE_UNSPECIFIED PYTHON")
_OUTCOME = _enumeration(
    "CodeExecutionResult.Outcome", "OUTCOME_UNSPECIFIED OUTCOME_OK OUTCOME_FAILED OUTCOME_DEADLINE_EXCEEDED"
)
_SCHEDULING = _enumeration("FunctionResponse.Scheduling", "SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT")
_BEHAVIOR = _enumeration("FunctionDeclaration.Behavior", "UNSPECIFIED BLOCKING NON_BLOCKING")
_TASK_TYPE = _enumeration(
    "TaskType",
    "TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING "
    "QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY",
)

_PROMPT: dict[str, Any] = {
    "contents": ["Content"],
    "systemInstruction": "Content",
    "tools": ["Tool"],
    "generationConfig": "GenerationConfig",
}
_EMBED_CONFIG: dict[str, Any] = {
    "taskType": _TASK_TYPE,
    "title": STRING,
    "outputDimensionality": INT32,
    "autoTruncate": BOOL,
    "documentOcr": BOOL,
    "audioTrackExtraction": BOOL,
}
_EMBED_REQUEST = _EMBED_CONFIG | {
    "model": STRING,
    "content": "Content",
    "embedContentConfig": "EmbedContentConfig",
}

MESSAGES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "GenerateContentRequest": _PROMPT
        | {
            "model": STRING,
            "safetySettings": ["SafetySetting"],
            "toolConfig": "ToolConfig",
            "cachedContent": STRING,
            "labels": {"*": STRING},
            "serviceTier": STRING,
            "continuationToken": BYTES,
            "store": BOOL,
            "modelArmorConfig": JSON,
        },
        "CountTokensRequest": _PROMPT
        | {"model": STRING, "generateContentRequest": "GenerateContentRequest", "instances": JSON},
        "EmbedContentRequest": _EMBED_REQUEST,
        "EmbedContentConfig": _EMBED_CONFIG,
        "BatchEmbedContentsRequest": {"requests": ["EmbedContentRequest"]},
        "PredictRequest": {
            "instances": ["PredictInstance"],
            "parameters": "PredictParameters",
            "labels": {"*": STRING},
        },
        "PredictInstance": {"content": STRING, "taskType": STRING, "title": STRING, "mimeType": STRING},
        "PredictParameters": {"outputDimensionality": INT32, "autoTruncate": BOOL},
        "Content": {"role": STRING, "parts": ["Part"]},
        "Part": {
            "text": STRING,
            "inlineData": "Blob",
            "fileData": "FileData",
            "functionCall": "FunctionCall",
            "functionResponse": "FunctionResponse",
            "executableCode": "ExecutableCode",
            "codeExecutionResult": "CodeExecutionResult",
            "toolCall": "ToolCall",
            "toolResponse": "ToolResponse",
            "thought": BOOL,
            "thoughtSignature": BYTES,
            "partMetadata": STRUCT,
            **dict.fromkeys(("audioTranscription", "mediaProcessing", "speechMetadata"), JSON),
            "videoMetadata": "VideoMetadata",
            "mediaResolution": "PartMediaResolution",
            **dict.fromkeys(("documentMetadata", "spreadsheetMetadata", "audioMetadata"), JSON),
        },
        "Blob": {"data": BYTES, "mimeType": STRING, "displayName": STRING},
        "FileData": {"fileUri": STRING, "mimeType": STRING, "displayName": STRING},
        "VideoMetadata": {"startOffset": STRING, "endOffset": STRING, "fps": FLOAT, "contentLayers": JSON},
        "PartMediaResolution": {"level": _PART_RESOLUTION, "numTokens": INT32},
        "ExecutableCode": {"code": STRING, "language": _LANGUAGE, "id": STRING},
        "CodeExecutionResult": {"outcome": _OUTCOME, "output": STRING, "id": STRING},
        "ToolCall": {"id": STRING, "toolType": STRING, "args": STRUCT},
        "ToolResponse": {"id": STRING, "toolType": STRING, "response": STRUCT},
        "FunctionCall": {
            "id": STRING,
            "name": STRING,
            "args": STRUCT,
            "partialArgs": JSON,
            "willContinue": BOOL,
        },
        "FunctionResponse": {
            "id": STRING,
            "name": STRING,
            "response": STRUCT,
            "parts": ["FunctionResponsePart"],
            "willContinue": BOOL,
            "scheduling": _SCHEDULING,
        },
        "FunctionResponsePart": {
            "inlineData": "Blob",
            "fileData": "FileData",
            "videoMetadata": "VideoMetadata",
            "mediaResolution": "PartMediaResolution",
            "mediaProcessing": JSON,
            **dict.fromkeys(("documentMetadata", "spreadsheetMetadata", "audioMetadata"), JSON),
        },
        "GenerationConfig": {
            **dict.fromkeys(("candidateCount", "maxOutputTokens", "logprobs", "seed"), INT32),
            **dict.fromkeys(("temperature", "topP", "topK", "presencePenalty", "frequencyPenalty"), FLOAT),
            "stopSequences": [STRING],
            "responseLogprobs": BOOL,
            "responseMimeType": STRING,
            "responseSchema": "Schema",
            "responseJsonSchema": JSON,
            "responseFormat": JSON,
            "responseModalities": [_MODALITY],
            "thinkingConfig": "ThinkingConfig",
            "mediaResolution": _RESOLUTION,
            **dict.fromkeys(("speechConfig", "imageConfig", "routingConfig", "modelConfig"), JSON),
            **dict.fromkeys(
                ("audioTranscriptionConfig", "translationConfig", "generationOutputConfig"), JSON
            ),
            **dict.fromkeys(("audioTimestamp", "enableAffectiveDialog", "enableEnhancedCivicAnswers"), BOOL),
        },
        "ThinkingConfig": {
            "includeThoughts": BOOL,
            "thinkingBudget": INT32,
            "thinkingLevel": _THINKING_LEVEL,
        },
        "Schema": {
            **dict.fromkeys(("format", "title", "description", "pattern", "$ref"), STRING),
            **dict.fromkeys(("default", "example", "additionalProperties"), JSON),
            **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength"), INT64),
            **dict.fromkeys(("minProperties", "maxProperties"), INT64),
            **dict.fromkeys(("minimum", "maximum"), FLOAT),
            "enum": [STRING],
            "required": [STRING],
            "propertyOrdering": [STRING],
            "type": _TYPE,
            "nullable": BOOL,
            "items": "Schema",
            "anyOf": ["Schema"],
            "properties": {"*": "Schema"},
            "$defs": {"*": "Schema"},
        },
        "Tool": {
            "functionDeclarations": ["FunctionDeclaration"],
            **dict.fromkeys(("googleSearch", "googleSearchRetrieval", "googleMaps", "urlContext"), JSON),
            **dict.fromkeys(("codeExecution", "computerUse", "fileSearch", "mcpServers", "retrieval"), JSON),
            **dict.fromkeys(("enterpriseWebSearch", "parallelAiSearch", "exaAiSearch"), JSON),
        },
        "FunctionDeclaration": {
            "name": STRING,
            "description": STRING,
            "parameters": "Schema",
            "parametersJsonSchema": JSON,
            "response": "Schema",
            "responseJsonSchema": JSON,
            "behavior": _BEHAVIOR,
        },
        "ToolConfig": {
            "functionCallingConfig": "FunctionCallingConfig",
            "retrievalConfig": "RetrievalConfig",
            "includeServerSideToolInvocations": BOOL,
        },
        "FunctionCallingConfig": {
            "mode": _CALLING_MODE,
            "allowedFunctionNames": [STRING],
            "streamFunctionCallArguments": BOOL,
        },
        "RetrievalConfig": {"latLng": "LatLng", "languageCode": STRING},
        "LatLng": {"latitude": FLOAT, "longitude": FLOAT},
        "SafetySetting": {"category": _HARM_CATEGORY, "threshold": _THRESHOLD, "method": _BLOCK_METHOD},
    }
)
"""Every message by name: its fields in lowerCamel with their types."""
