"""The table of faults: each name, what it means, which calls it fits, and the answer that it makes.

Decides the names by which a script asks for a fault and their one-line meanings, which documentation prints.
The bytes come from `errors`, `quota_errors` and `spoil`; playing the answer is the work of `player`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, unique
from types import MappingProxyType

import orjson

from sidecar.emulator import errors, quota_errors, spoil
from sidecar.emulator.answer import HTML_TYPE, Act
from sidecar.emulator.errors import ApiError, bad_request
from sidecar.emulator.scene import Scene
from sidecar.emulator.script import HEADER

_SUCCESSOR = "gemini-3.8-flash"
_WRONG_TYPES = orjson.dumps(
    {
        "candidates": [{"content": {"parts": "text"}, "finishReason": 7, "index": "zero"}],
        "usageMetadata": {"promptTokenCount": "many", "totalTokenCount": None},
        "modelVersion": 3,
        "responseId": [],
    }
)
_PAGE_502 = (
    b"<!DOCTYPE html>\n<html lang=en>\n<title>Error 502 (Server Error)!!1</title>\n"
    b"<p><b>502.</b> <ins>That's an error.</ins>\n<p>The server encountered a temporary error and could not "
    b"complete your request.<p>Please try again in 30 seconds. <ins>That's all we know.</ins>\n</html>\n"
)
_PAGE_200 = (
    b"<!DOCTYPE html>\n<html><title>Welcome</title><p>Please accept the terms of this network.</html>\n"
)


@unique
class Scope(IntEnum):
    """Which calls a fault fits; a call of a higher scope takes the faults of the lower ones too."""

    ANY = 0
    GENERATE = 1
    STREAM = 2

    @property
    def meaning(self) -> str:
        """The calls of this scope in words."""
        return ("any call", "generateContent and streamGenerateContent", "streamGenerateContent")[self]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong: a one-line meaning for people, the answer that it makes, and the calls that it
    fits."""

    meaning: str
    answer: spoil.Spoil
    scope: Scope = Scope.ANY


def _refuse(make: Callable[[Scene], ApiError]) -> spoil.Spoil:
    return lambda scene: scene.error(make(scene))


def _refuse_always(make: Callable[[], ApiError]) -> spoil.Spoil:
    return lambda scene: scene.error(make())


def _refuse_credentials(make: Callable[[str], ApiError]) -> spoil.Spoil:
    return lambda scene: scene.error(make(scene.service))


def _exceed(*quotas: quota_errors.Quota, delay_s: str = "36", retry_first: bool = False) -> spoil.Spoil:
    def make(scene: Scene) -> ApiError:
        asked = scene.script.retry_after
        delay = Decimal(delay_s) if asked is None else asked
        return quota_errors.quota_exceeded(quotas, scene.model, delay, retry_first=retry_first)

    return _refuse(make)


def _invalid_argument() -> ApiError:
    text = "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"warm\""
    return bad_request([("generation_config.temperature", text)])


_QUOTA_FAULTS = {
    "quota_rpm": Fault("429, requests per minute (paid tier)", _exceed(quota_errors.REQUESTS_PER_MINUTE)),
    "quota_tpm": Fault(
        "429, input tokens per minute (paid tier)", _exceed(quota_errors.INPUT_TOKENS_PER_MINUTE)
    ),
    "quota_rpd": Fault(
        "429, requests per day (paid tier); its short RetryInfo is of no use",
        _exceed(quota_errors.REQUESTS_PER_DAY, delay_s="27"),
    ),
    "quota_free_rpm": Fault(
        "429, requests per minute (free tier)", _exceed(quota_errors.FREE_REQUESTS_PER_MINUTE)
    ),
    "quota_free_tpm": Fault(
        "429, input tokens per minute (free tier)", _exceed(quota_errors.FREE_INPUT_TOKENS_PER_MINUTE)
    ),
    "quota_free_rpd": Fault(
        "429, requests per day (free tier); its short RetryInfo is of no use",
        _exceed(quota_errors.FREE_REQUESTS_PER_DAY, delay_s="27"),
    ),
    "quota_zero": Fault(
        "429 with limit 0: the model is not offered on this tier", _exceed(quota_errors.NOT_OFFERED)
    ),
    "quota_many": Fault(
        "429 with three violations, one repeated, later ones without quotaValue; RetryInfo first",
        _exceed(
            quota_errors.REQUESTS_PER_MINUTE,
            quota_errors.INPUT_TOKENS_PER_MINUTE,
            quota_errors.REQUESTS_PER_MINUTE,
            retry_first=True,
        ),
    ),
    "quota_fractional": Fault(
        "429, requests per minute, RetryInfo of 45.837906927s",
        _exceed(quota_errors.REQUESTS_PER_MINUTE, delay_s="45.837906927"),
    ),
    "quota_spend": Fault(
        "429, money spent within ten minutes; neither QuotaFailure nor RetryInfo",
        _refuse_always(quota_errors.spend_exceeded),
    ),
    "quota_bare": Fault("429 without any details", _refuse_always(quota_errors.resource_exhausted)),
    "quota_shared": Fault(
        "429 of Vertex AI's shared capacity, without details", _refuse_always(quota_errors.shared_capacity)
    ),
}
_ERROR_FAULTS = {
    "invalid_argument": Fault(
        "400 INVALID_ARGUMENT with a field violation", _refuse_always(_invalid_argument)
    ),
    "input_too_long": Fault(
        "400, the input token count exceeds the maximum",
        _refuse_always(lambda: errors.too_many_input_tokens(1_200_000, 1_048_576)),
    ),
    "deadline_too_short": Fault(
        "400, as if X-Server-Timeout were below the minimum",
        _refuse_always(lambda: errors.deadline_too_short("1", 10)),
    ),
    "thought_signature": Fault(
        "400, a function call came back without its thought signature",
        _refuse_always(errors.thought_signature_missing),
    ),
    "location": Fault(
        "400 FAILED_PRECONDITION, user location is not supported", _refuse_always(errors.location_unsupported)
    ),
    "billing": Fault(
        "400 FAILED_PRECONDITION, no free tier here, enable billing", _refuse_always(errors.billing_required)
    ),
    "key_invalid": Fault("400, API key not valid", _refuse_credentials(errors.key_invalid)),
    "key_expired": Fault("400, API key expired", _refuse_credentials(errors.key_expired)),
    "unauthenticated": Fault("401 UNAUTHENTICATED", _refuse_credentials(errors.unauthenticated)),
    "key_missing": Fault("403, no credentials", _refuse_credentials(errors.key_missing)),
    "permission_denied": Fault("403 PERMISSION_DENIED", _refuse_credentials(errors.permission_denied)),
    "not_found": Fault(
        "404, unknown model",
        _refuse(lambda scene: errors.model_not_found(scene.model, scene.version, scene.method)),
    ),
    "model_retired": Fault(
        "404, the model is closed to new users; names a successor",
        _refuse(lambda scene: errors.model_retired(scene.model, _SUCCESSOR)),
    ),
    "cancelled": Fault("499 CANCELLED", _refuse_always(errors.cancelled)),
    "internal": Fault("500 INTERNAL", _refuse_always(errors.internal)),
    "bad_gateway": Fault("502 with an HTML page", spoil.raw(502, _PAGE_502, HTML_TYPE)),
    "unavailable": Fault("503 UNAVAILABLE, the model is overloaded", _refuse_always(errors.model_overloaded)),
    "deadline": Fault("504 DEADLINE_EXCEEDED", _refuse_always(errors.deadline_exceeded)),
    "http_status": Fault(
        "the status of code= (418 by default), plain error body", _refuse(spoil.http_status)
    ),
}
_BODY_FAULTS = {
    "invalid_json": Fault(
        "200 whose body, or only event, is not JSON", spoil.payload(lambda scene: b"{candidates: none")
    ),
    "truncated_json": Fault(
        "200 whose body, or only event, is half of the JSON", spoil.payload(spoil.half_of_json)
    ),
    "wrong_types": Fault(
        "200 with valid JSON whose fields have wrong types", spoil.payload(lambda scene: _WRONG_TYPES)
    ),
    "empty_object": Fault("200 with {} and nothing else", spoil.payload(lambda scene: b"{}")),
    "empty_body": Fault("200 without a body", spoil.empty_body),
    "wrong_content_type": Fault("the good reply, labelled text/html", spoil.wrong_content_type),
    "html_page": Fault(
        "200 with an HTML page, as a captive portal sends", spoil.raw(200, _PAGE_200, HTML_TYPE)
    ),
    "oversized": Fault(
        "the reply, or the chunk that follows after= chunks, has size= bytes",
        spoil.either(spoil.oversized, spoil.oversized_stream),
        Scope.GENERATE,
    ),
    "no_finish": Fault(
        "the reply, or its first after= chunks, without finishReason; a clean end",
        spoil.either(spoil.no_finish, spoil.no_finish_stream),
        Scope.GENERATE,
    ),
}
_STREAM_FAULTS = {
    "error_event": Fault(
        "an error event (503, or code=) after after= chunks; a clean end",
        spoil.streamed(spoil.error_event),
        Scope.STREAM,
    ),
    "empty_stream": Fault("a stream without events", spoil.streamed(spoil.empty_stream), Scope.STREAM),
    "malformed_event": Fault(
        "an event of broken JSON after after= chunks, then the rest",
        spoil.streamed(spoil.malformed_event),
        Scope.STREAM,
    ),
    "comments": Fault(
        "a keep-alive comment before every event", spoil.streamed(spoil.comments), Scope.STREAM
    ),
    "done_event": Fault("data: [DONE] after the last event", spoil.streamed(spoil.done_event), Scope.STREAM),
}
_CONNECTION_FAULTS = {
    "stall": Fault(
        "silence until the client leaves: from the start, or after after= chunks",
        spoil.either(spoil.only(Act.STALL), spoil.stall_stream),
    ),
    "cut": Fault(
        "the connection closes half-way: in the body, or in the chunk that follows after= chunks",
        spoil.either(spoil.cut, spoil.cut_stream),
    ),
    "close": Fault("the connection closes before any byte", spoil.only(Act.CLOSE)),
    "reset": Fault("the connection is reset before any byte", spoil.only(Act.RESET)),
    "stale": Fault("a good reply; the next request on the same connection finds it closed", spoil.stale),
}

FAULTS: Mapping[str, Fault] = MappingProxyType(
    _QUOTA_FAULTS | _ERROR_FAULTS | _BODY_FAULTS | _STREAM_FAULTS | _CONNECTION_FAULTS
)
"""Every fault by name."""


def find_fault(name: str, scope: Scope) -> Fault:
    """Return the fault `name` for a call of `scope`.

    Raises:
        ApiError: 400 when there is no such fault, or when it does not fit such a call.
    """
    fault = FAULTS.get(name)
    if fault is None:
        known = ", ".join(sorted(FAULTS))
        raise bad_request([(HEADER, f"Unknown emulator fault '{name}'; known faults: {known}.")])
    if fault.scope > scope:
        raise bad_request([(HEADER, f"Emulator fault '{name}' fits {fault.scope.meaning} only.")])
    return fault
