"""What a request makes use of, as callers spell it: through the edge's own converter."""

from typing import Any

import orjson
import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.call import Body
from sidecar.core.errors import InvalidRequest
from sidecar.core.feature import Feature
from sidecar.edge.json_writer import JsonWriter
from sidecar.edge.spelling import EXTRA, key_of
from sidecar.policy.features import features_of
from sidecar.v1.count_tokens_pb2 import CountTokensRequest
from sidecar.v1.generate_pb2 import GenerateRequest
from sidecar.v1.tool_pb2 import Tool
from tests.unit.edge.strategies import JSON_VALUES, messages

WRITER = JsonWriter(GenerateRequest)
TOOL_FIELDS = [field for field in Tool.DESCRIPTOR.fields if field.name != EXTRA]
WORD_OF_TOOL = {
    "function_declarations": Feature.FUNCTIONS,
    "code_execution": Feature.CODE_EXECUTION,
    "url_context": Feature.URL_CONTEXT,
    "computer_use": Feature.COMPUTER_USE,
    "mcp_servers": Feature.MCP_SERVERS,
}
"""All others ground."""


def body_of(request: GenerateRequest) -> Body:
    written = WRITER.write(request)
    return Body(written.json, written.has_extra)


def used(**request: Any) -> set[Feature]:
    return set(features_of(body_of(ParseDict(request, GenerateRequest()))))


def parts(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"parts": list(given)}]


def extra(**fields: Any) -> str:
    return orjson.dumps(fields).decode()


def test_plain_text_uses_nothing() -> None:
    assert used(contents=parts({"text": "hi"}), systemInstruction={"parts": [{"text": "be brief"}]}) == set()


@pytest.mark.parametrize("field", TOOL_FIELDS, ids=lambda field: field.name)
def test_each_tool_of_the_schema_has_its_word(field: Any) -> None:
    value: Any = [{"name": "f"}] if field.is_repeated else {}
    assert used(tools=[{key_of(field): value}]) == {WORD_OF_TOOL.get(field.name, Feature.GROUNDING)}


@pytest.mark.parametrize("place", ["contents", "systemInstruction", "functionResponse"])
@pytest.mark.parametrize(
    ("part", "feature"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, Feature.MEDIA),
        ({"fileData": {"fileUri": "gs://b/o"}}, Feature.FILES),
    ],
)
def test_media_and_files_are_found_in_every_place_of_parts(place: str, part: Any, feature: Feature) -> None:
    request: dict[str, Any] = {"contents": parts({"text": "hi"}, part)}
    if place == "systemInstruction":
        request = {"systemInstruction": {"parts": [part]}}
    elif place == "functionResponse":
        request = {"contents": parts({"functionResponse": {"name": "f", "parts": [part]}})}
    assert used(**request) == {feature}


def test_a_context_cache_is_a_feature() -> None:
    assert used(cachedContent="cachedContents/7") == {Feature.CACHED_CONTENT}


def test_several_features_are_found_together() -> None:
    found = used(
        contents=parts({"fileData": {"fileUri": "files/7"}}),
        tools=[{"googleSearch": {}, "codeExecution": {}}, {"functionDeclarations": [{"name": "f"}]}],
    )
    assert found == {Feature.FILES, Feature.GROUNDING, Feature.CODE_EXECUTION, Feature.FUNCTIONS}


def test_a_tool_that_nobody_knows_is_another_tool() -> None:
    assert used(tools=[{"extraJson": extra(teleport={})}]) == {Feature.OTHER_TOOLS, Feature.UNKNOWN_FIELDS}


@pytest.mark.parametrize("key", ["codeExecution", "code_execution", "CodeExecution", "CODE_EXECUTION"])
def test_a_tool_is_never_hidden_beside_its_own_field(key: str) -> None:
    with pytest.raises(InvalidRequest, match="the schema has a field for it"):
        used(tools=[{"extraJson": extra(**{key: {}})}])


@pytest.mark.parametrize("key", ["tools", "Tools", "tool_config", "cachedContent", "cached_content"])
def test_no_field_of_a_request_is_hidden_beside_it(key: str) -> None:
    with pytest.raises(InvalidRequest, match="the schema has a field for it"):
        used(extraJson=extra(**{key: [{"codeExecution": {}}]}))


@pytest.mark.parametrize("key", ["codeExecution", "code_execution"])
@pytest.mark.parametrize(
    "smuggle",
    [
        lambda tool: {"extraJson": extra(**tool)},
        lambda tool: {"extraJson": extra(newer={"config": [{"deep": {"tools": [tool]}}]})},
        lambda tool: {"generationConfig": {"extraJson": extra(agent={"tool": tool})}},
        lambda tool: {"contents": parts({"text": "hi", "extraJson": extra(steps=[[tool]])})},
    ],
    ids=["beside", "deep", "in the config", "in a part"],
)
def test_a_tool_is_found_wherever_untyped_fields_carry_it(key: str, smuggle: Any) -> None:
    assert used(**smuggle({key: {}})) == {Feature.CODE_EXECUTION, Feature.UNKNOWN_FIELDS}


@pytest.mark.parametrize(
    "tools", [[{"teleport": {}}], {"teleport": {}}, ["teleport"]], ids=["listed", "alone", "named"]
)
def test_an_unknown_tool_is_found_in_untyped_tools(tools: Any) -> None:
    found = used(extraJson=extra(agent={"tools": tools}))
    assert found == {Feature.OTHER_TOOLS, Feature.UNKNOWN_FIELDS}


def test_a_tool_is_found_in_the_inner_request_of_a_token_count() -> None:
    request = CountTokensRequest(extra_json=extra(generateContentRequest={"tools": [{"googleSearch": {}}]}))
    written = JsonWriter(CountTokensRequest).write(request)
    found = features_of(Body(written.json, written.has_extra))
    assert found == {Feature.GROUNDING, Feature.UNKNOWN_FIELDS}


def test_what_functions_carry_is_not_taken_for_a_tool() -> None:
    call = {"functionCall": {"name": "f", "argsJson": extra(codeExecution={}, tools=["saw"])}}
    answer = {"functionResponse": {"name": "f", "responseJson": extra(googleSearch={})}}
    assert used(contents=parts(call, answer), extraJson=extra(newer=1)) == {Feature.UNKNOWN_FIELDS}


@given(messages(GenerateRequest.DESCRIPTOR, depth=4))
def test_every_tool_of_a_random_request_is_found_and_no_other(request: GenerateRequest) -> None:
    expected = {
        WORD_OF_TOOL.get(field.name, Feature.GROUNDING)
        for tool in request.tools
        for field, _ in tool.ListFields()
    }
    found = set(features_of(body_of(request)))
    assert found & {*WORD_OF_TOOL.values(), Feature.GROUNDING, Feature.OTHER_TOOLS} == expected
    assert (Feature.CACHED_CONTENT in found) == bool(request.cached_content)
    assert Feature.UNKNOWN_FIELDS not in found


@given(st.dictionaries(st.text(max_size=6), JSON_VALUES, max_size=3), st.sampled_from(TOOL_FIELDS))
def test_no_untyped_field_hides_a_feature(untyped: dict[str, Any], field: Any) -> None:
    """Features can only be added by what is carried beside."""
    body = {"tools": [{key_of(field): {}}], "contents": parts({"fileData": {}}), "cachedContent": "c/7"}
    bare = features_of(Body(body, has_unknown_fields=False))
    assert features_of(Body({**untyped, **body}, has_unknown_fields=True)) >= bare | {Feature.UNKNOWN_FIELDS}


def test_an_answer_that_is_to_be_written_to_a_bucket_is_a_file() -> None:
    """Upstream writes there with the credentials of the project."""
    there = {"video": {"delivery": "DELIVERY_URI", "gcs_uri": "gs://somebody-elses/x"}}
    config = {"response_format": [{"text": {"mime_type": "text/plain"}}, there]}
    assert used(generation_config=config) == {Feature.FILES}
    assert used(generation_config={"response_format": [{"video": {"resolution": "4k"}}]}) == set()
    hidden = {"response_format": [{"extra_json": extra(clip={"gcs_uri": "gs://somebody-elses/x"})}]}
    assert used(generation_config=hidden) == {Feature.FILES, Feature.UNKNOWN_FIELDS}
