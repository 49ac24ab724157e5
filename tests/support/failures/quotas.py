"""Every kind of 429."""

from functools import partial

import grpc

from sidecar.core.errors import Reason
from tests.support import facts
from tests.support.failures.row import MIDNIGHT, STREAM, Row, http
from tests.support.provoke import over_quota, refused
from tests.support.upstream import refusal

_EXCEEDED = "exceeded your current quota"


def _quota(metric: str, quota_id: str, value: int | None) -> dict[str, object]:
    """One violation as the emulator's model meets it."""
    full_metric = f"generativelanguage.googleapis.com/{metric}"
    violation: dict[str, object] = {
        "description": f"limit {'unknown' if value is None else value} of {full_metric}",
        "quota_metric": full_metric,
        "quota_id": quota_id,
        "quota_dimensions": {"location": "global", "model": facts.MODEL},
    }
    return violation | {"quota_value": str(value)} if value else violation  # a zero is not on the wire


_RPM = partial(_quota, "generate_requests_per_model", "GenerateRequestsPerMinutePerProjectPerModel")
_RPD = partial(_quota, "generate_requests_per_model_per_day", "GenerateRequestsPerDayPerProjectPerModel")
_TPM = partial(
    _quota,
    "generate_content_paid_tier_input_token_count",
    "GenerateContentPaidTierInputTokensPerModelPerMinute",
)
_FREE_REQUESTS = "generate_content_free_tier_requests"
_FREE_RPM = partial(_quota, _FREE_REQUESTS, "GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
_FREE_RPD = partial(_quota, _FREE_REQUESTS, "GenerateRequestsPerDayPerProjectPerModel-FreeTier")
_FREE_TPM = partial(
    _quota,
    "generate_content_free_tier_input_token_count",
    "GenerateContentInputTokensPerModelPerMinute-FreeTier",
)

_SPELLED_OUT = refusal(429, "RESOURCE_EXHAUSTED", "Slow down. Please retry in 7.25s.", {"retryDelay": "soon"})
_ABSURD = refusal(429, "RESOURCE_EXHAUSTED", f"Please retry in {'9' * 400}s.")

_quota_row = partial(
    Row,
    code=grpc.StatusCode.RESOURCE_EXHAUSTED,
    reason=Reason.UPSTREAM_QUOTA,
    facts=http(429, "RESOURCE_EXHAUSTED"),
)

ROWS = [
    _quota_row(
        "429 a minute's requests", over_quota("quota_rpm"), _EXCEEDED, quotas=[_RPM(1000)], retry=36.0
    ),
    _quota_row(
        "429 a short delay",
        over_quota("quota_rpm retry_after=1.5s"),
        _EXCEEDED,
        quotas=[_RPM(1000)],
        retry=1.5,
    ),
    _quota_row(
        "429 a fractional delay",
        over_quota("quota_fractional"),
        _EXCEEDED,
        quotas=[_RPM(1000)],
        retry=45.837906927,
    ),
    _quota_row(
        "429 a minute's tokens", over_quota("quota_tpm"), _EXCEEDED, quotas=[_TPM(2_000_000)], retry=36.0
    ),
    _quota_row(
        "429 a day's requests", over_quota("quota_rpd"), _EXCEEDED, quotas=[_RPD(10_000)], retry=MIDNIGHT
    ),
    _quota_row(
        "429 free tier's minute", over_quota("quota_free_rpm"), _EXCEEDED, quotas=[_FREE_RPM(10)], retry=36.0
    ),
    _quota_row(
        "429 free tier's tokens",
        over_quota("quota_free_tpm"),
        _EXCEEDED,
        quotas=[_FREE_TPM(250_000)],
        retry=36.0,
    ),
    _quota_row(
        "429 free tier's day", over_quota("quota_free_rpd"), _EXCEEDED, quotas=[_FREE_RPD(20)], retry=MIDNIGHT
    ),
    _quota_row("429 not offered", over_quota("quota_zero"), _EXCEEDED, quotas=[_FREE_RPD(0)]),
    _quota_row(
        "429 several quotas, one twice",
        over_quota("quota_many"),
        _EXCEEDED,
        quotas=[_RPM(1000), _TPM(None), _RPM(None)],
        retry=36.0,
    ),
    _quota_row("429 money", over_quota("quota_spend"), "spend-based rate limit", retry=1.0),
    _quota_row("429 bare", over_quota("quota_bare"), "Resource has been exhausted", retry=1.0),
    _quota_row("429 shared capacity", over_quota("quota_shared"), "Resource exhausted.", retry=1.0),
    _quota_row("429 a delay in words alone", refused(429, _SPELLED_OUT), "Slow down.", retry=7.25),
    _quota_row("429 an absurd delay", refused(429, _ABSURD), "HTTP 429", retry=1.0),
    _quota_row("429 not Google's", refused(429, b"slow down"), "HTTP 429", facts=http(429), retry=1.0),
    _quota_row(
        "429 in a stream's first event",
        over_quota("error_event after=0 code=429"),
        "HTTP 429",
        rpcs=STREAM,
        retry=1.0,
    ),
]
