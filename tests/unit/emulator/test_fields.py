"""The table of fields against an independent witness: the types of Google's own SDK."""

import pytest
from google.genai import types

from sidecar.emulator.fields import MESSAGES, Enumeration

_WITNESSES = {
    "Content": types.Content,
    "Part": types.Part,
    "Blob": types.Blob,
    "FileData": types.FileData,
    "VideoMetadata": types.VideoMetadata,
    "PartMediaResolution": types.PartMediaResolution,
    "ExecutableCode": types.ExecutableCode,
    "CodeExecutionResult": types.CodeExecutionResult,
    "ToolCall": types.ToolCall,
    "ToolResponse": types.ToolResponse,
    "FunctionCall": types.FunctionCall,
    "FunctionResponse": types.FunctionResponse,
    "FunctionResponsePart": types.FunctionResponsePart,
    "ThinkingConfig": types.ThinkingConfig,
    "Tool": types.Tool,
    "FunctionDeclaration": types.FunctionDeclaration,
    "ToolConfig": types.ToolConfig,
    "FunctionCallingConfig": types.FunctionCallingConfig,
    "RetrievalConfig": types.RetrievalConfig,
    "LatLng": types.LatLng,
    "SafetySetting": types.SafetySetting,
    "Schema": types.Schema,
    "GenerationConfig": types.GenerationConfig,
}
_RENAMED = {"defs": "$defs", "ref": "$ref", "modelSelectionConfig": "modelConfig"}
_ENUMS = {
    ("ThinkingConfig", "thinkingLevel"): types.ThinkingLevel,
    ("FunctionCallingConfig", "mode"): types.FunctionCallingConfigMode,
    ("Schema", "type"): types.Type,
    ("SafetySetting", "category"): types.HarmCategory,
    ("SafetySetting", "threshold"): types.HarmBlockThreshold,
    ("SafetySetting", "method"): types.HarmBlockMethod,
    ("GenerationConfig", "mediaResolution"): types.MediaResolution,
    ("ExecutableCode", "language"): types.Language,
    ("CodeExecutionResult", "outcome"): types.Outcome,
}


@pytest.mark.parametrize("message", _WITNESSES)
def test_every_field_of_the_sdk_is_in_the_table(message):
    known = {field.alias or name for name, field in _WITNESSES[message].model_fields.items()}
    assert {_RENAMED.get(name, name) for name in known} <= set(MESSAGES[message])


@pytest.mark.parametrize(("message", "field"), list(_ENUMS))
def test_every_enum_value_of_the_sdk_is_in_the_table(message, field):
    kind = MESSAGES[message][field]
    assert isinstance(kind, Enumeration)
    assert {member.name for member in _ENUMS[message, field]} <= set(kind.values)


def test_every_message_that_a_field_names_exists():
    def named(kind: object) -> list[str]:
        if isinstance(kind, str):
            return [kind]
        if isinstance(kind, list):
            return named(kind[0])
        return named(kind["*"]) if isinstance(kind, dict) else []

    mentioned = {name for fields in MESSAGES.values() for kind in fields.values() for name in named(kind)}
    assert mentioned <= set(MESSAGES)
