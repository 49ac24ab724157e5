"""Calls that end before anybody upstream is asked: bad requests, the Policy, a full or leaving sidecar."""

from functools import partial

import grpc

from sidecar.core.errors import Reason
from sidecar.core.policy import ModelRoute, Policy
from tests.support import facts
from tests.support.failures.row import Row, Words
from tests.support.provoke import NOBODY, asked, crowded, draining, showing, under
from tests.support.tokens import SigningKey

_bad = partial(Row, code=grpc.StatusCode.INVALID_ARGUMENT, reason=Reason.INVALID_REQUEST)
_denied = partial(Row, code=grpc.StatusCode.PERMISSION_DENIED)
_shed = partial(Row, code=grpc.StatusCode.UNAVAILABLE, retry=1.0, is_safe=True)

_NO_NUMBER = {"temperature": float("nan")}
_UNKNOWN_CATEGORY = {"category": 4711, "threshold": 1}
_BOMB = '{"x": %s}' % ("[" * 60 + "]" * 60)
_ROUTES = {"gemini-2.5-pro": ModelRoute("gemini-2.5-pro", ("main",))}
_LISTED_ALONE = facts.policy(routes=_ROUTES, unlisted_models=False)
_NO_PROJECTS = Policy(digest="0" * 64, endpoints=())

ROWS = [
    _bad("no model", asked(model=""), "model: is required", fields={"model": Words("is required")}),
    _bad(
        "path for a model",
        asked(model="../etc"),
        "no model name",
        fields={"model": Words("is no model name")},
    ),
    _bad(
        "no contents",
        asked(instead={"model": "m"}),
        "or prompt in its place",
        rpcs=("Generate", "StreamGenerate", "CountTokens", "EmbedContent"),
        fields={"contents": Words("is required")},
    ),
    _bad(
        "prompt and contents",
        asked(contents=[{"parts": [{"text": "twice"}]}]),
        "one user turn",
        rpcs=("Generate", "StreamGenerate", "CountTokens", "EmbedContent"),
        fields={"prompt": Words("excludes contents")},
    ),
    _bad(
        "NaN",
        asked(generation_config=_NO_NUMBER),
        "finite",
        fields={"generation_config.temperature": "must be a finite number"},
    ),
    _bad(
        "unknown enum number",
        asked(safety_settings=[_UNKNOWN_CATEGORY]),
        "HarmCategory",
        fields={"safety_settings[0].category": Words("4711 is no value")},
    ),
    _bad(
        "extra_json is no JSON",
        asked(extra_json="{"),
        "extra_json",
        fields={"extra_json": Words("is not JSON")},
    ),
    _bad(
        "extra_json is no object",
        asked(extra_json="[1]"),
        "extra_json",
        fields={"extra_json": "must be a JSON object"},
    ),
    _bad(
        "extra_json shadows a field",
        asked(extra_json='{"SafetySettings": []}'),
        "schema has a field",
        fields={"extra_json": Words("may not carry 'SafetySettings'")},
    ),
    _bad(
        "extra_json is a bomb",
        asked(extra_json=_BOMB),
        "nested",
        fields={"extra_json": "is nested deeper than 50 levels"},
    ),
    _bad(
        "no model to look up",
        asked(instead={}),
        "model: is required",
        rpcs=("GetModel",),
        fields={"model": Words("is required")},
    ),
    _denied(
        "extra_json denied",
        asked(extra_json='{"newField": 1}'),
        "unknown_fields: allow",
        reason=Reason.UNKNOWN_FIELDS_DENIED,
    ),
    _denied(
        "model not listed",
        under(_LISTED_ALONE),
        "is not listed in the Policy",
        reason=Reason.PERMISSION_DENIED,
    ),
    Row(
        "a token of nobody we trust",
        showing(SigningKey().token(iss="https://other.test"), jwks_url=NOBODY),
        "is not one that this sidecar trusts",
        grpc.StatusCode.UNAUTHENTICATED,
        Reason.UNAUTHENTICATED,
        facts={"cause": "token_issuer"},
    ),
    Row(
        "a token that cannot be verified now",
        showing(SigningKey().token(), jwks_url=NOBODY),
        "the keys of issuer 'corp' cannot be had",
        grpc.StatusCode.UNAVAILABLE,
        Reason.IDENTITY_UNAVAILABLE,
        retry=1.0,
        is_safe=True,
    ),
    Row(
        "no project at all",
        under(_NO_PROJECTS),
        "no project of the Policy serves model",
        grpc.StatusCode.FAILED_PRECONDITION,
        Reason.NO_ENDPOINT,
    ),
    _shed("crowded", crowded(), "listen.max_in_flight", reason=Reason.OVERLOADED),
    _shed("draining", draining(), "shutting down", reason=Reason.DRAINING),
]
