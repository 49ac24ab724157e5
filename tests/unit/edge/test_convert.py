import threading
from typing import Any

import pytest
from google.protobuf.message import Message

from sidecar.core.call import Body, Method
from sidecar.core.errors import FieldViolation, InvalidRequest, Reason, ReplyTooLarge, UpstreamUnavailable
from sidecar.core.outcome import Reply
from sidecar.edge.convert import LARGE_BYTES, Question, faces
from sidecar.v1 import count_tokens_pb2, embed_content_pb2, generate_pb2, model_pb2

LIMIT_BYTES = 1 << 20
FACES = faces(LIMIT_BYTES)
HI = [{"parts": [{"text": "hi"}], "role": "user"}]

REQUESTS: dict[Method, type[Any]] = {
    Method.GENERATE: generate_pb2.GenerateRequest,
    Method.STREAM_GENERATE: generate_pb2.StreamGenerateRequest,
    Method.COUNT_TOKENS: count_tokens_pb2.CountTokensRequest,
    Method.EMBED_CONTENT: embed_content_pb2.EmbedContentRequest,
    Method.LIST_MODELS: model_pb2.ListModelsRequest,
    Method.GET_MODEL: model_pb2.GetModelRequest,
}
WITH_PROMPT = [Method.GENERATE, Method.STREAM_GENERATE, Method.COUNT_TOKENS, Method.EMBED_CONTENT]


async def read(method: Method, **fields: Any) -> Question:
    request: Message = REQUESTS[method](**fields)
    return await FACES[method].read_request(request.SerializeToString())


async def refused(method: Method, **fields: Any) -> FieldViolation:
    with pytest.raises(InvalidRequest) as error:
        await read(method, **fields)
    (violation,) = error.value.violations
    return violation


def test_every_method_has_a_face() -> None:
    assert set(FACES) == set(Method)


# ----------------------------------------------------------------------------------------------- contents


@pytest.mark.parametrize("method", [Method.GENERATE, Method.STREAM_GENERATE])
async def test_that_another_model_may_answer_is_for_the_sidecar_alone(method: Method) -> None:
    asked = await read(method, model="m", prompt="hi", allow_fallback=True)
    assert asked == Question("m", Body({"contents": HI}, has_unknown_fields=False), allow_fallback=True)
    assert not (await read(method, model="m", prompt="hi")).allow_fallback


@pytest.mark.parametrize("method", [Method.GENERATE, Method.STREAM_GENERATE, Method.COUNT_TOKENS])
async def test_whose_the_handles_are_is_for_the_sidecar_alone(method: Method) -> None:
    asked = await read(method, model="m", prompt="hi", project="eu")
    assert asked == Question("m", Body({"contents": HI}, has_unknown_fields=False), project="eu")
    assert (await read(method, model="m", prompt="hi")).project == ""


async def test_an_untyped_field_of_that_name_is_the_upstream_s() -> None:
    asked = await read(Method.EMBED_CONTENT, model="m", prompt="hi", extra_json='{"project": "eu"}')
    assert (asked.body.json["project"], asked.project) == ("eu", "")


@pytest.mark.parametrize("method", WITH_PROMPT)
async def test_a_prompt_is_short_for_one_user_turn(method: Method) -> None:
    model, body, *_ = await read(method, model="m", prompt="hi")
    assert (model, body.json) == ("m", {"contents": HI})
    assert not body.has_unknown_fields
    assert not body.is_large


@pytest.mark.parametrize("method", WITH_PROMPT)
async def test_contents_go_as_they_are(method: Method) -> None:
    _, body, *_ = await read(method, model="m", contents=HI)
    assert body.json == {"contents": HI}


@pytest.mark.parametrize("method", WITH_PROMPT)
async def test_something_must_be_asked(method: Method) -> None:
    assert (await refused(method, model="m")).field == "contents"


@pytest.mark.parametrize("method", WITH_PROMPT)
async def test_prompt_and_contents_exclude_each_other(method: Method) -> None:
    assert (await refused(method, model="m", prompt="hi", contents=HI)).field == "prompt"


async def test_a_cached_context_alone_asks_nothing() -> None:
    assert (await refused(Method.GENERATE, model="m", cached_content="cachedContents/x")).field == "contents"


# -------------------------------------------------------------------------------------------------- model


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ("gemini-3.8-flash", "gemini-3.8-flash"),
        ("models/gemini-3.8-flash", "gemini-3.8-flash"),
        ("fast", "fast"),
        ("Team_A.fast@v2", "Team_A.fast@v2"),
        ("tunedModels/mine-1", "tunedModels/mine-1"),
        ("publishers/google/models/gemini-x", "gemini-x"),
        ("publishers/google/models/fast", "fast"),
        ("models/publishers/google/models/gemini-x", "gemini-x"),
        ("x" * 128, "x" * 128),
        ("a..b", "a..b"),
    ],
)
@pytest.mark.parametrize("method", [Method.GENERATE, Method.GET_MODEL])
async def test_a_model_is_an_alias_an_id_or_a_resource_name(method: Method, given: str, model: str) -> None:
    fields = {} if method is Method.GET_MODEL else {"prompt": "hi"}
    assert (await read(method, model=given, **fields))[0] == model


@pytest.mark.parametrize("given", ["", "models/"])
async def test_a_model_is_required(given: str) -> None:
    violation = await refused(Method.GENERATE, model=given, prompt="hi")
    assert violation.field == "model"
    assert "required" in violation.description


@pytest.mark.parametrize(
    "given",
    [
        "files/x",
        "cachedContents/x",
        "projects/p/locations/l/publishers/google/models/m",
        "..",
        "../x",
        "models/../../v1/files/x",
        "a/../b",
        "a/./b",
        "/etc/passwd",
        "a//b",
        "a/",
        "models/models/",
        "x:generateContent",
        "x?key=1",
        "x#y",
        "x%2e%2e",
        "x y",
        "x\n",
        "x\r\nHost: evil",
        "modèle",
        "x\x00",
        "-x",
        "x" * 129,
        "/".join("abcdefghi"),
        "http://evil.test",
        "\\x",
    ],
    ids=repr,
)
@pytest.mark.parametrize("method", [Method.GENERATE, Method.GET_MODEL])
async def test_no_model_name_can_leave_its_place_in_the_path(method: Method, given: str) -> None:
    fields = {} if method is Method.GET_MODEL else {"prompt": "hi"}
    violation = await refused(method, model=given, **fields)
    assert violation.field == "model"
    assert "no model name" in violation.description


async def test_listing_models_needs_no_model() -> None:
    assert await read(Method.LIST_MODELS) == Question("", Body(json={}, has_unknown_fields=False))
    _, body, *_ = await read(Method.LIST_MODELS, page_size=5, page_token="next")
    assert body.json == {"pageSize": 5, "pageToken": "next"}


# ------------------------------------------------------------------------------------------------- bodies


async def test_unknown_fields_are_told() -> None:
    _, body, *_ = await read(Method.GENERATE, model="m", prompt="hi", extra_json='{"new": 1}')
    assert body.has_unknown_fields
    assert body.json == {"contents": HI, "new": 1}


@pytest.mark.parametrize("key", ["model", "prompt", "contents"])
async def test_extra_json_cannot_name_another_model_or_prompt(key: str) -> None:
    violation = await refused(Method.GENERATE, model="m", prompt="hi", extra_json=f'{{"{key}": "x"}}')
    assert violation.field == "extra_json"


@pytest.mark.parametrize("raw", [b"\xff", b"\x0a\xff", b"\x08", b"\x0a" * 7])
@pytest.mark.parametrize("method", Method)
async def test_bytes_that_are_no_message_are_an_invalid_request(method: Method, raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        await FACES[method].read_request(raw)


async def test_text_that_is_not_utf_8_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest):
        await FACES[Method.GENERATE].read_request(b"\x0a\x02\xff\xfe")


@pytest.mark.parametrize(("size", "is_large"), [(1000, False), (LARGE_BYTES + 1, True)])
async def test_large_requests_are_converted_off_the_event_loop(
    size: int, is_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    here = threading.get_ident()
    write = FACES[Method.GENERATE]._writer.write

    def noting(message: Message) -> Any:
        seen.append(threading.get_ident() == here)
        return write(message)

    monkeypatch.setattr(FACES[Method.GENERATE]._writer, "write", noting)
    part = {"inline_data": {"mime_type": "image/png", "data": b"x" * size}}
    _, body, *_ = await read(Method.GENERATE, model="m", contents=[{"parts": [part]}])
    assert (seen, body.is_large) == ([not is_large], is_large)


async def test_a_large_refusal_names_its_field() -> None:
    violation = await refused(Method.GENERATE, model="m", prompt="x" * LARGE_BYTES, extra_json="{")
    assert violation.field == "extra_json"


# ------------------------------------------------------------------------------------------------ replies


async def test_a_reply_is_typed() -> None:
    reply = Reply(json={"candidates": [{"finishReason": "STOP"}], "modelVersion": "m"}, usage=None)
    message = await FACES[Method.GENERATE].write_reply(reply)
    assert isinstance(message, generate_pb2.GenerateResponse)
    assert (message.candidates[0].finish_reason, message.model_version) == (1, "m")
    assert not message.HasField("call"), "the report comes later"


async def test_a_model_is_typed() -> None:
    message = await FACES[Method.GET_MODEL].write_reply(
        Reply(json={"model": {"name": "models/m"}}, usage=None)
    )
    assert isinstance(message, model_pb2.GetModelResponse)
    assert message.model.name == "models/m"


@pytest.mark.parametrize("is_large", [False, True])
async def test_a_reply_that_does_not_fit_the_schema_is_malformed(is_large: bool) -> None:
    reply = Reply(json={"candidates": [{"content": 7}]}, usage=None, is_large=is_large)
    with pytest.raises(UpstreamUnavailable, match=r"candidates\[0\]\.content does not fit") as error:
        await FACES[Method.GENERATE].write_reply(reply)
    assert error.value.reason == Reason.UPSTREAM_MALFORMED


async def test_a_reply_above_the_message_limit_is_too_large() -> None:
    text = "x" * LIMIT_BYTES
    json = {"candidates": [{"content": {"parts": [{"text": text}]}}]}
    with pytest.raises(ReplyTooLarge, match=r"listen\.message_limit"):
        await FACES[Method.GENERATE].write_reply(Reply(json=json, usage=None, is_large=True))


def test_a_face_tells_its_method() -> None:
    assert repr(FACES[Method.GENERATE]) == "<Face of Generate>"
