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
from types import MappingProxyType
from typing import Any

from sidecar.emulator.kinds import (
    BEHAVIOR,
    BLOCK_METHOD,
    BOOL,
    BYTES,
    CALLING_MODE,
    FLOAT,
    HARM_CATEGORY,
    INT32,
    INT64,
    JSON,
    LANGUAGE,
    MODALITY,
    OUTCOME,
    PART_RESOLUTION,
    RESOLUTION,
    SCHEDULING,
    STRING,
    STRUCT,
    TASK_TYPE,
    THINKING_LEVEL,
    THRESHOLD,
    TYPE,
    Enumeration,
    Scalar,
)

__all__ = ["MESSAGES", "Enumeration", "Scalar"]

_PROMPT: dict[str, Any] = {
    "contents": ["Content"],
    "systemInstruction": "Content",
    "tools": ["Tool"],
    "generationConfig": "GenerationConfig",
}
_EMBED_CONFIG: dict[str, Any] = {
    "taskType": TASK_TYPE,
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
        "CachedContent": {
            **dict.fromkeys(("name", "model", "displayName", "ttl", "expireTime"), STRING),
            "contents": ["Content"],
            "systemInstruction": "Content",
            "tools": ["Tool"],
            "toolConfig": "ToolConfig",
            "encryptionSpec": JSON,
        },
        "CreateFileRequest": {"file": "File"},
        "File": {
            **dict.fromkeys(("name", "displayName", "mimeType", "uri", "downloadUri", "sha256Hash"), STRING),
            **dict.fromkeys(("createTime", "updateTime", "expirationTime", "state", "source"), STRING),
            "sizeBytes": INT64,
            **dict.fromkeys(("videoMetadata", "error"), JSON),
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
        "PartMediaResolution": {"level": PART_RESOLUTION, "numTokens": INT32},
        "ExecutableCode": {"code": STRING, "language": LANGUAGE, "id": STRING},
        "CodeExecutionResult": {"outcome": OUTCOME, "output": STRING, "id": STRING},
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
            "scheduling": SCHEDULING,
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
            "responseModalities": [MODALITY],
            "thinkingConfig": "ThinkingConfig",
            "mediaResolution": RESOLUTION,
            **dict.fromkeys(("speechConfig", "imageConfig", "routingConfig", "modelConfig"), JSON),
            **dict.fromkeys(
                ("audioTranscriptionConfig", "translationConfig", "generationOutputConfig"), JSON
            ),
            **dict.fromkeys(("audioTimestamp", "enableAffectiveDialog", "enableEnhancedCivicAnswers"), BOOL),
        },
        "ThinkingConfig": {
            "includeThoughts": BOOL,
            "thinkingBudget": INT32,
            "thinkingLevel": THINKING_LEVEL,
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
            "type": TYPE,
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
            "behavior": BEHAVIOR,
        },
        "ToolConfig": {
            "functionCallingConfig": "FunctionCallingConfig",
            "retrievalConfig": "RetrievalConfig",
            "includeServerSideToolInvocations": BOOL,
        },
        "FunctionCallingConfig": {
            "mode": CALLING_MODE,
            "allowedFunctionNames": [STRING],
            "streamFunctionCallArguments": BOOL,
        },
        "RetrievalConfig": {"latLng": "LatLng", "languageCode": STRING},
        "LatLng": {"latitude": FLOAT, "longitude": FLOAT},
        "SafetySetting": {"category": HARM_CATEGORY, "threshold": THRESHOLD, "method": BLOCK_METHOD},
    }
)
"""Every message by name: its fields in lowerCamel with their types."""

PART_DATA = frozenset(
    {
        *("text", "inlineData", "fileData", "functionCall", "functionResponse"),
        *("executableCode", "codeExecutionResult", "toolCall", "toolResponse"),
    }
)
"""The fields of a Part of which it has one: what kind of data it is."""
