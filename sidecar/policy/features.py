"""Which features a request makes use of. Pure.

Everything that the schema types has one spelling and one place in a canonical body, and `edge/json_writer`
lets nothing stand beside it under another name; so one look at each tool and each part is enough. What the
schema does not type can be anything. A body that carries such fields is therefore searched whole: a tool is
found wherever it stands and however its name is spelled, and one that nobody here knows is OTHER_TOOLS. What
upstream hands to functions unread (arguments, results, schemas) is the caller's own and not searched.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sidecar.core.call import Body, Json
from sidecar.core.feature import Feature

_TOOLS: Mapping[str, Feature] = MappingProxyType(
    {
        "functionDeclarations": Feature.FUNCTIONS,
        "codeExecution": Feature.CODE_EXECUTION,
        "googleSearch": Feature.GROUNDING,
        "googleSearchRetrieval": Feature.GROUNDING,
        "googleMaps": Feature.GROUNDING,
        "fileSearch": Feature.GROUNDING,
        "retrieval": Feature.GROUNDING,
        "enterpriseWebSearch": Feature.GROUNDING,
        "parallelAiSearch": Feature.GROUNDING,
        "exaAiSearch": Feature.GROUNDING,
        "urlContext": Feature.URL_CONTEXT,
        "computerUse": Feature.COMPUTER_USE,
        "mcpServers": Feature.MCP_SERVERS,
    }
)
"""By the key of a Tool; a test holds them against the schema."""
_PLACES: Mapping[str, Feature] = MappingProxyType(
    {
        "inlineData": Feature.MEDIA,
        "fileData": Feature.FILES,
        "gcsUri": Feature.FILES,
        "cachedContent": Feature.CACHED_CONTENT,
    }
)


def features_of(body: Body) -> frozenset[Feature]:
    """Every feature that a canonical body makes use of; empty for plain text.

    Takes half a microsecond, and 50 ns more for each part; untyped fields make it a
    walk through all of the body.
    """
    json = body.json
    found = {_TOOLS.get(key, Feature.OTHER_TOOLS) for tool in json.get("tools", ()) for key in tool}
    if "cachedContent" in json:
        found.add(Feature.CACHED_CONTENT)
    for content in json.get("contents", ()):
        _look_at_parts(content.get("parts", ()), found)
    if "systemInstruction" in json:
        _look_at_parts(json["systemInstruction"].get("parts", ()), found)
    if "generationConfig" in json and _names_a_bucket(json["generationConfig"]):
        found.add(Feature.FILES)
    if body.has_unknown_fields:
        found.add(Feature.UNKNOWN_FIELDS)
        found.update(_anywhere(json))
    return frozenset(found)


def _look_at_parts(parts: Iterable[Json], found: set[Feature]) -> None:
    for part in parts:
        if "inlineData" in part:
            found.add(Feature.MEDIA)
        elif "fileData" in part:
            found.add(Feature.FILES)
        elif "functionResponse" in part:  # media that a function gave back
            _look_at_parts(part["functionResponse"].get("parts", ()), found)


def _names_a_bucket(config: Json) -> bool:
    """Whether the answer is to be written to one, which upstream does with the credentials of the project."""
    return any("gcsUri" in form.get("video", ()) for form in config.get("responseFormat", ()))


def _plain(key: str) -> str:
    """A key without the marks that tell its spellings apart, as `edge/spelling` has it."""
    return key.replace("_", "").lower()


_BY_PLAIN_KEY = {_plain(key): feature for key, feature in {**_TOOLS, **_PLACES}.items()}
_CALLERS_OWN = frozenset(
    {"args", "response", "parameters", "parametersjsonschema", "responseschema", "responsejsonschema"}
    | {"partmetadata", "labels"}
)


def _anywhere(json: Json) -> Iterator[Feature]:
    """All that any key of a body stands for; object by object, so that depth costs no stack."""
    pending: list[Any] = [json]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            for key, inner in value.items():
                word = _plain(key)
                if word in _BY_PLAIN_KEY:
                    yield _BY_PLAIN_KEY[word]
                if word in ("tool", "tools") and _has_unknown_tool(inner):
                    yield Feature.OTHER_TOOLS
                if word not in _CALLERS_OWN:
                    pending.append(inner)


def _has_unknown_tool(tools: Any) -> bool:
    listed = tools if isinstance(tools, list) else [tools]
    return any(
        not isinstance(tool, dict) or any(_plain(key) not in _BY_PLAIN_KEY for key in tool) for tool in listed
    )
