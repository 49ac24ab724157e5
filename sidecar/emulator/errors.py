"""Google's error envelope and every refusal the emulator utters in its own voice.

Decides the exact words, codes and `google.rpc` details of refusals; when to refuse is decided by `auth`,
`decode`, `rules` and `faults`. The 429 family lives in `quota_errors`.

Invariant: an `ApiError` renders to `{"error": {"code", "message", "status", "details"?}}`, with `error` as
the first key and a numeric code, because clients recognise an error inside a stream by exactly that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

DEVELOPER_SERVICE = "generativelanguage.googleapis.com"
VERTEX_SERVICE = "aiplatform.googleapis.com"

STATUS_OF_CODE: dict[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Google's canonical status for each HTTP status that has one."""


class ApiError(Exception):
    """A refusal as Google would word it.

    `code` is the HTTP status, `status` Google's canonical name for it, `details` a sequence of packed
    `google.rpc` messages in JSON form (each with its `@type`); an empty sequence leaves the key out of the
    payload.
    """

    def __init__(
        self, code: int, message: str, *, status: str | None = None, details: Sequence[Json] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status or STATUS_OF_CODE.get(code, "UNKNOWN")
        self.message = message
        self.details = tuple(details)

    def payload(self) -> Json:
        """Return the JSON envelope; a fresh dictionary at each call."""
        error: Json = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def packed(name: str, **fields: Any) -> Json:
    """Return the JSON form of a `google.rpc` message packed into an `Any`."""
    return {"@type": f"type.googleapis.com/google.rpc.{name}", **fields}


def error_info(reason: str, service: str) -> Json:
    """Return the ErrorInfo that Google's front end attaches to refused credentials."""
    return packed("ErrorInfo", reason=reason, domain="googleapis.com", metadata={"service": service})


def bad_request(violations: Sequence[tuple[str, str]]) -> ApiError:
    """Return the refusal of malformed fields, each violation a pair of field path and description."""
    listed = [
        {"field": field, "description": text} if field else {"description": text}
        for field, text in violations
    ]
    message = "\n".join(text for _, text in violations)
    return ApiError(400, message, details=[packed("BadRequest", fieldViolations=listed)])


def key_missing(service: str = DEVELOPER_SERVICE) -> ApiError:
    """Return the refusal of a call without any credential."""
    return ApiError(
        403,
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
        details=[error_info("CREDENTIALS_MISSING", service)],
    )


def key_refused(message: str, service: str = DEVELOPER_SERVICE) -> ApiError:
    """Return the refusal of an API key that is unknown or no longer valid."""
    localized = packed("LocalizedMessage", locale="en-US", message=message)
    return ApiError(400, message, details=[error_info("API_KEY_INVALID", service), localized])


def key_invalid(service: str = DEVELOPER_SERVICE) -> ApiError:
    """Return the refusal of an unknown API key."""
    return key_refused("API key not valid. Please pass a valid API key.", service)


def key_expired(service: str = DEVELOPER_SERVICE) -> ApiError:
    """Return the refusal of an expired API key."""
    return key_refused("API key expired. Please renew the API key.", service)


def permission_denied(service: str = DEVELOPER_SERVICE) -> ApiError:
    """Return the refusal of a known caller without the right to call."""
    return ApiError(
        403,
        "Your API key or credential does not have permission to use this resource.",
        details=[error_info("IAM_PERMISSION_DENIED", service)],
    )


def unauthenticated(service: str = VERTEX_SERVICE) -> ApiError:
    """Return the refusal of a missing or invalid OAuth access token."""
    return ApiError(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
        "other valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project.",
        details=[error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED", service)],
    )


def model_not_found(model: str, version: str, method: str) -> ApiError:
    """Return the Developer API's answer to an unknown model, or one that lacks the method."""
    return ApiError(
        404,
        f"models/{model} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods.",
    )


def publisher_model_not_found(path: str) -> ApiError:
    """Return Vertex AI's answer to an unknown model; `path` is the full resource name."""
    return ApiError(
        404,
        f"Publisher Model `{path}` was not found or your project does not have access to it. Please ensure "
        "you are using a valid model version. For more information, see: "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions",
    )


def model_retired(model: str, successor: str) -> ApiError:
    """Return the answer to a model that is closed to new users, naming the model to move to."""
    return ApiError(
        404,
        f"This model models/{model} is no longer available to new users. Please update your code to use "
        f"models/{successor} instead.",
    )


def deadline_too_short(timeout_text: str, minimum_s: float) -> ApiError:
    """Return the refusal of an `X-Server-Timeout` below the service's minimum."""
    return ApiError(
        400,
        f"Manually set deadline {timeout_text}s is too short. Minimum allowed deadline is {minimum_s:g}s.",
    )


def deadline_exceeded() -> ApiError:
    """Return the answer when `X-Server-Timeout` runs out before the reply is complete."""
    return ApiError(504, "Deadline expired before operation could complete.")


def too_many_input_tokens(tokens: int, limit: int) -> ApiError:
    """Return the refusal of a prompt longer than the model's input window."""
    return ApiError(
        400, f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit})."
    )


def thought_signature_missing() -> ApiError:
    """Return the refusal of a conversation that lost a thought signature."""
    return ApiError(
        400,
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
        "work correctly, and missing thought_signature may lead to degraded model performance. "
        "Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
    )


def location_unsupported() -> ApiError:
    """Return the refusal of a caller from a country without service."""
    return ApiError(400, "User location is not supported for the API use.", status="FAILED_PRECONDITION")


def billing_required() -> ApiError:
    """Return the refusal of the free tier where there is none."""
    return ApiError(
        400,
        "Gemini API free tier is not available in your country. Please enable billing on your project in "
        "Google AI Studio.",
        status="FAILED_PRECONDITION",
    )


def internal() -> ApiError:
    """Return Google's internal error."""
    return ApiError(
        500,
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
    )


def model_overloaded() -> ApiError:
    """Return the answer of a model without capacity."""
    return ApiError(503, "The model is overloaded. Please try again later.")


def cancelled() -> ApiError:
    """Return the answer to a call that its own client gave up."""
    return ApiError(499, "The operation was cancelled.")
