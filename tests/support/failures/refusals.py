"""What the upstream refuses for good: the request, what it names, the project, our credentials."""

from functools import partial

import grpc

from sidecar.core.errors import Reason
from tests.support import google_account
from tests.support.failures.row import Row, Words, http
from tests.support.provoke import asked, fault, keyed, refused, tokens_from
from tests.support.upstream import refusal

_FORBIDDEN = http(403, "PERMISSION_DENIED")

_rejected = partial(
    Row,
    code=grpc.StatusCode.INVALID_ARGUMENT,
    reason=Reason.UPSTREAM_REJECTED,
    facts=http(400, "INVALID_ARGUMENT"),
)
_unfit = partial(
    Row,
    code=grpc.StatusCode.FAILED_PRECONDITION,
    reason=Reason.UPSTREAM_PRECONDITION,
    facts=http(400, "FAILED_PRECONDITION"),
)
_missing = partial(
    Row,
    code=grpc.StatusCode.NOT_FOUND,
    reason=Reason.UPSTREAM_NOT_FOUND,
    facts=http(404, "NOT_FOUND"),
)
_locked_out = partial(
    Row,
    says="it refused this sidecar's credentials",
    code=grpc.StatusCode.FAILED_PRECONDITION,
    reason=Reason.UPSTREAM_CREDENTIALS,
    facts=http(400, "INVALID_ARGUMENT"),
)

_UNKNOWN_NAME = {
    "@type": "type.googleapis.com/google.rpc.BadRequest",
    "fieldViolations": [{"field": "contents[0]", "description": 'Unknown name "x": Cannot find field.'}],
}
_INVALID_PAYLOAD = refusal(400, "INVALID_ARGUMENT", "Invalid JSON payload received.", _UNKNOWN_NAME)
_FILE = refusal(403, "PERMISSION_DENIED", "You do not have permission to access the File abc.")
_CACHE = refusal(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)")

ROWS = [
    _rejected(
        "400 bad value",
        fault("invalid_argument"),
        "(TYPE_FLOAT)",
        fields={"generation_config.temperature": Words("Invalid value")},
    ),
    _rejected(
        "400 invalid JSON payload",
        refused(400, _INVALID_PAYLOAD),
        "Invalid JSON payload",
        fields={"contents[0]": 'Unknown name "x": Cannot find field.'},
    ),
    _rejected(
        "400 against the model's rules",
        asked(generation_config={"temperature": 3.0}),
        "supported range",
        fields={"generation_config.temperature": Words("supported range")},
    ),
    _rejected(
        "400 page token",
        asked(instead={"page_token": "nonsense"}),
        "Page token is invalid",
        rpcs=("ListModels",),
        fields={"page_token": Words("nextPageToken")},
    ),
    _rejected("400 too many tokens", fault("input_too_long"), "exceeds the maximum number of tokens"),
    _rejected("400 server timeout too short", fault("deadline_too_short"), "Minimum allowed deadline is 10s"),
    _rejected("400 thought signature", fault("thought_signature"), "missing a thought_signature"),
    _rejected("400 not Google's", refused(400, b"<html>no</html>"), "HTTP 400", facts=http(400)),
    _rejected("418", fault("http_status code=418"), "HTTP 418", facts=http(418, "UNKNOWN")),
    _rejected("501", fault("http_status code=501"), "HTTP 501", facts=http(501, "UNIMPLEMENTED")),
    _unfit("400 location", fault("location"), "User location is not supported"),
    _unfit("400 billing", fault("billing"), "enable billing"),
    _missing("404 unknown model", fault("not_found"), "is not found for API version"),
    _missing("404 retired model", fault("model_retired"), "use models/gemini-3.8-flash"),
    _missing(
        "404 whatever is asked of it",
        asked(model="gemini-0"),
        "models/gemini-0 is not found",
        rpcs=("Generate", "StreamGenerate", "CountTokens", "EmbedContent", "GetModel"),
    ),
    _missing("403 another's file", refused(403, _FILE), "access the File abc", facts=_FORBIDDEN),
    _missing("403 another's cache", refused(403, _CACHE), "CachedContent not found", facts=_FORBIDDEN),
    _locked_out("400 key invalid", keyed("invalid")),
    _locked_out("400 key expired", keyed("expired")),
    _locked_out("400 key invalid, by directive", fault("key_invalid")),
    _locked_out("400 key expired, by directive", fault("key_expired")),
    _locked_out("401 token", fault("unauthenticated"), facts=http(401, "UNAUTHENTICATED")),
    _locked_out("403 no key", keyed(None), facts=_FORBIDDEN),
    _locked_out("403 no key, by directive", fault("key_missing"), facts=_FORBIDDEN),
    _locked_out("403 a key without the right", keyed("forbidden"), facts=_FORBIDDEN),
    _locked_out("403 permission denied", fault("permission_denied"), facts=_FORBIDDEN),
    _locked_out(
        "account refused by the token service",
        tokens_from(google_account.refuses()),
        says="its Google credentials were refused",
        facts={},
    ),
]
