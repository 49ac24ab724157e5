"""Whatever well-formed JSON comes in, it is answered or refused; nothing else escapes."""

import contextlib
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from sidecar.emulator.call import Request, accept
from sidecar.emulator.errors import ApiError
from sidecar.emulator.fields import MESSAGES, PART_DATA, Enumeration, Scalar
from sidecar.emulator.models import MODELS
from sidecar.emulator.routes import find_route
from sidecar.emulator.service import Service

_MESSAGE_OF_METHOD = {
    "generateContent": "GenerateContentRequest",
    "streamGenerateContent": "GenerateContentRequest",
    "countTokens": "CountTokensRequest",
    "embedContent": "EmbedContentRequest",
    "batchEmbedContents": "BatchEmbedContentsRequest",
}
_TEXT = st.text(max_size=8)
_FREE = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
    max_leaves=4,
)
_SCALARS: dict[Scalar, st.SearchStrategy[Any]] = {
    Scalar.STRING: _TEXT,
    Scalar.BOOL: st.booleans(),
    Scalar.INT32: st.integers(1, 8),
    Scalar.INT64: st.integers(-2, 300),
    Scalar.FLOAT: st.floats(0, 1),
    Scalar.BYTES: st.sampled_from(["", "AAAA", "_-8"]),
    Scalar.STRUCT: st.dictionaries(_TEXT, _FREE, max_size=2),
    Scalar.JSON: _FREE,
}


def _values(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    """Values of a field that fit its type."""
    if isinstance(kind, Scalar):
        return _SCALARS[kind]
    if isinstance(kind, Enumeration):
        return st.sampled_from(kind.values)
    if isinstance(kind, str):
        return _messages(kind, depth + 1)
    inner = _values(kind["*"] if isinstance(kind, dict) else kind[0], depth)
    return (
        st.dictionaries(_TEXT, inner, max_size=2) if isinstance(kind, dict) else st.lists(inner, max_size=3)
    )


def _messages(name: str, depth: int = 0) -> st.SearchStrategy[Any]:
    if depth > 4:
        return st.just({})
    fields = {
        field: st.deferred(lambda kind=kind: _values(kind, depth)) for field, kind in MESSAGES[name].items()
    }
    if "role" in fields:
        fields["role"] = st.sampled_from(["user", "model"])
    fields.pop("generateContentRequest", None)  # and contents beside it would always be refused
    if name == "Part":
        return _parts(fields)
    needed = ("contents", "parts", "content", "requests", "text")
    return st.fixed_dictionaries(
        {field: values for field, values in fields.items() if field in needed},
        optional={field: values for field, values in fields.items() if field not in needed},
    )


@st.composite
def _parts(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]]) -> Any:
    """Parts with one kind of data, most of them texts."""
    kind = draw(st.sampled_from(["text", "text", *sorted(PART_DATA)]))
    others = {field: values for field, values in fields.items() if field not in PART_DATA}
    return draw(st.fixed_dictionaries({kind: fields[kind]}, optional=others))


@st.composite
def _calls(draw: st.DrawFn) -> tuple[str, str, Any]:
    method = draw(st.sampled_from(sorted(_MESSAGE_OF_METHOD)))
    model = draw(st.sampled_from([name for name, model in MODELS.items() if method in model.methods]))
    return method, model, draw(_messages(_MESSAGE_OF_METHOD[method]))


_SCRIPTS = st.sampled_from(["", "chunks=3", "words=9 fault=no_finish", "blocked=OTHER"])


@given(_calls(), _SCRIPTS)
def test_any_request_is_answered_or_refused(asked, script):
    method, model, body = asked
    route = find_route("POST", f"/v1/models/{model}:{method}")
    assert route is not None
    headers = CIMultiDict({"x-goog-api-key": "any", "x-emulate": script})
    request = Request(headers, {"alt": "sse"}, body, orjson.dumps(body))
    with contextlib.suppress(ApiError):
        answer = Service().answer(accept(route, request, 10.0))
        assert answer.status == 200
        assert all(isinstance(step, bytes) for step in answer.steps)
