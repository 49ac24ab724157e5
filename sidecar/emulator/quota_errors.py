"""The 429 answers: which quota, which figures, which delay, in Google's words and details.

Decides the text and the `QuotaFailure` / `Help` / `RetryInfo` details of each kind of exhausted quota. When a
quota is exhausted is decided by whoever raises the error.

Facts that clients rely on and that are kept here: per-day refusals carry a short RetryInfo that is of no use;
a limit of 0 means "not offered on this tier"; shared capacity comes without any detail; delays have up to
nine decimals; violations may repeat and may lack `quotaValue`; the order of the details varies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sidecar.emulator.errors import ApiError, Json, packed

_METRIC_PREFIX = "generativelanguage.googleapis.com/"


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota of the Developer API: `metric` without its domain, `quota_id`, and the `limit` in its own
    unit."""

    metric: str
    quota_id: str
    limit: int


REQUESTS_PER_MINUTE = Quota(
    "generate_requests_per_model", "GenerateRequestsPerMinutePerProjectPerModel", 1000
)
REQUESTS_PER_DAY = Quota(
    "generate_requests_per_model_per_day", "GenerateRequestsPerDayPerProjectPerModel", 10000
)
INPUT_TOKENS_PER_MINUTE = Quota(
    "generate_content_paid_tier_input_token_count",
    "GenerateContentPaidTierInputTokensPerModelPerMinute",
    2_000_000,
)
FREE_REQUESTS_PER_MINUTE = Quota(
    "generate_content_free_tier_requests", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", 10
)
FREE_REQUESTS_PER_DAY = Quota(
    "generate_content_free_tier_requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", 20
)
FREE_INPUT_TOKENS_PER_MINUTE = Quota(
    "generate_content_free_tier_input_token_count",
    "GenerateContentInputTokensPerModelPerMinute-FreeTier",
    250_000,
)
NOT_OFFERED = Quota(
    "generate_content_free_tier_requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", 0
)


def violation(quota: Quota, model: str) -> Json:
    """Return the QuotaFailure violation of `quota` by `model`."""
    return {
        "quotaMetric": _METRIC_PREFIX + quota.metric,
        "quotaId": quota.quota_id,
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(quota.limit),
    }


def retry_info(delay_s: Decimal) -> Json:
    """Return the RetryInfo for `delay_s` seconds; fractions keep the digits they were given."""
    return packed("RetryInfo", retryDelay=f"{delay_s.normalize():f}s")


def help_links() -> Json:
    """Return the Help detail that accompanies every quota refusal."""
    link = {
        "description": "Learn more about Gemini API quotas",
        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
    }
    return packed("Help", links=[link])


def quota_exceeded(
    quotas: Sequence[Quota], model: str, delay_s: Decimal, *, retry_first: bool = False
) -> ApiError:
    """Return the refusal that names every exhausted quota and the delay after which to try again.

    `retry_first` puts RetryInfo before the other details, an order that Google uses too. From the second
    violation on `quotaValue` is left out, as Google does at times.
    """
    violations = [violation(quota, model) for quota in quotas]
    for later in violations[1:]:
        del later["quotaValue"]
    lines = [
        f"* Quota exceeded for metric: {_METRIC_PREFIX}{quota.metric}, limit: {quota.limit}, model: {model}"
        for quota in quotas
    ]
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information "
        "on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. \n"
        + "\n".join(lines)
        + f"\nPlease retry in {delay_s.normalize():f}s."
    )
    failure = packed("QuotaFailure", violations=violations)
    details = [help_links(), failure, retry_info(delay_s)]
    return ApiError(429, message, details=details[::-1] if retry_first else details)


def spend_exceeded() -> ApiError:
    """Return the refusal of a project that spent more than its tier allows within ten minutes."""
    return ApiError(
        429,
        "Your project has exceeded its spend-based rate limit over the last 10 minutes. Please slow down or "
        "move to a higher usage tier: https://ai.google.dev/gemini-api/docs/rate-limits.",
        details=[help_links()],
    )


def resource_exhausted() -> ApiError:
    """Return the Developer API's bare refusal, without any detail."""
    return ApiError(429, "Resource has been exhausted (e.g. check quota).")


def shared_capacity() -> ApiError:
    """Return Vertex AI's refusal when its shared capacity is used up; it carries no detail."""
    return ApiError(
        429,
        "Resource exhausted. Please try again later. Please refer to "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
    )
