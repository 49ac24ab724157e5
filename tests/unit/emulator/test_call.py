"""What must hold before a call is answered, and in which order it is checked."""

import pytest
from multidict import CIMultiDict

from sidecar.emulator.answer import Framing
from sidecar.emulator.call import Request, accept, framing_of
from sidecar.emulator.errors import ApiError
from sidecar.emulator.models import MODELS
from sidecar.emulator.routes import find_route
from sidecar.emulator.rules import check_contents, check_generate
from tests.unit.emulator.builders import call, prompt

_DEVELOPER = "/v1/models/gemini-3.8-flash:generateContent"
_VERTEX = "/v1/projects/p/locations/l/publishers/google/models/gemini-3.8-flash:generateContent"
_EXPRESS = "/v1/publishers/google/models/gemini-3.8-flash:generateContent"


def _accept(path: str, headers: dict[str, str], query: dict[str, str] | None = None, body: object = None):
    route = find_route("POST", path)
    assert route is not None
    return accept(route, Request(CIMultiDict(headers), query or {}, body or prompt(), b"{}"), 10.0)


def _refusal(*args: object, **kwargs: object) -> ApiError:
    with pytest.raises(ApiError) as refusal:
        _accept(*args, **kwargs)
    return refusal.value


@pytest.mark.parametrize(
    ("path", "headers", "query"),
    [
        (_DEVELOPER, {"X-Goog-Api-Key": "any"}, {}),
        (_DEVELOPER, {}, {"key": "any"}),
        (_DEVELOPER, {"Authorization": "Bearer any"}, {}),
        (_VERTEX, {"authorization": "bearer any"}, {}),
        (_EXPRESS, {"x-goog-api-key": "any"}, {}),
        (_EXPRESS, {"Authorization": "Bearer any"}, {}),
    ],
)
def test_any_credential_of_the_right_kind_will_do(path, headers, query):
    assert _accept(path, headers, query).body == prompt()


@pytest.mark.parametrize(
    ("path", "headers", "code", "reason"),
    [
        (_DEVELOPER, {}, 403, "CREDENTIALS_MISSING"),
        (_DEVELOPER, {"x-goog-api-key": ""}, 403, "CREDENTIALS_MISSING"),
        (_DEVELOPER, {"x-goog-api-key": "invalid"}, 400, "API_KEY_INVALID"),
        (_DEVELOPER, {"x-goog-api-key": "expired"}, 400, "API_KEY_INVALID"),
        (_DEVELOPER, {"x-goog-api-key": "forbidden"}, 403, "IAM_PERMISSION_DENIED"),
        (_DEVELOPER, {"Authorization": "Bearer invalid"}, 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        (_VERTEX, {}, 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        (_VERTEX, {"x-goog-api-key": "any"}, 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        (_VERTEX, {"Authorization": "Bearer invalid"}, 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        (_VERTEX, {"Authorization": "Basic any"}, 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        (_EXPRESS, {}, 403, "CREDENTIALS_MISSING"),
        (_EXPRESS, {"x-goog-api-key": "invalid"}, 400, "API_KEY_INVALID"),
    ],
)
def test_a_missing_or_refused_credential_is_told_as_google_tells_it(path, headers, code, reason):
    refusal = _refusal(path, headers)
    assert refusal.code == code
    assert refusal.details[0]["reason"] == reason
    service = "generativelanguage" if path == _DEVELOPER else "aiplatform"
    assert refusal.details[0]["metadata"]["service"] == f"{service}.googleapis.com"


def test_an_expired_key_says_so():
    assert "API key expired" in _refusal(_DEVELOPER, {"x-goog-api-key": "expired"}).message


def test_credentials_are_checked_before_the_body():
    assert _refusal(_DEVELOPER, {}, body={"nonsense": 1}).code == 403


@pytest.mark.parametrize(("text", "seconds"), [("10", 10.0), ("600", 600.0), ("12.5", 12.5)])
def test_a_server_timeout_is_read_in_seconds(text, seconds):
    assert call(X_Server_Timeout=text).server_timeout_s == seconds


def test_without_the_header_there_is_no_server_timeout():
    assert call().server_timeout_s is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("5", r"Manually set deadline 5s is too short. Minimum allowed deadline is 10s\."),
        ("-1", "too short"),
        ("soon", "not a number of seconds"),
        ("nan", "not a number of seconds"),
        ("inf", "not a number of seconds"),
    ],
)
def test_a_bad_server_timeout_is_refused(text, complaint):
    with pytest.raises(ApiError, match=complaint):
        call(X_Server_Timeout=text)


@pytest.mark.parametrize(
    ("query", "framing"),
    [
        ({"alt": "sse"}, Framing.SSE),
        ({"$alt": "sse"}, Framing.SSE),
        ({}, Framing.ARRAY),
        ({"alt": "json"}, Framing.ARRAY),
    ],
)
def test_a_stream_is_framed_as_the_query_asks(query, framing):
    route = find_route("POST", "/v1/models/m:streamGenerateContent")
    assert route is not None
    assert framing_of(route, query) is framing


def test_a_script_may_come_in_the_header():
    assert call(x_emulate="words=5").script.words == 5


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({}, "contents is not specified"),
        ({"contents": []}, "contents is not specified"),
        (
            {"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]},
            "Please use a valid role: user, model.",
        ),
        ({"contents": [{"role": "user"}]}, r"contents\[0\].parts: contents.parts must not be empty"),
        ({"contents": [{"parts": [{}]}]}, r"contents\[0\].parts\[0\].data: required oneof field 'data'"),
    ],
)
def test_contents_must_hold_something(request_, complaint):
    with pytest.raises(ApiError, match=complaint):
        check_contents(request_, "GenerateContentRequest")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"maxOutputTokens": 0}, "maxOutputTokens"),
        ({"maxOutputTokens": 65537}, "maxOutputTokens"),
        ({"candidateCount": 0}, "candidateCount"),
        ({"candidateCount": 9}, "candidateCount"),
        ({"temperature": 2.1}, "temperature"),
        ({"topP": -0.1}, "topP"),
        ({"stopSequences": ["a", "b", "c", "d", "e", "f"]}, "stop_sequences"),
        ({"stopSequences": [""]}, "stop_sequences"),
    ],
)
def test_values_out_of_range_are_refused_by_name(config, field):
    with pytest.raises(ApiError) as refusal:
        check_generate(MODELS["gemini-3.8-flash"], prompt(generationConfig=config))
    assert field in str(refusal.value.details)
