"""Google's error envelope and the details of exhausted quotas."""

from decimal import Decimal

import pytest

from sidecar.emulator import quota_errors
from sidecar.emulator.errors import STATUS_OF_CODE, ApiError, bad_request, key_invalid


def _details(error: ApiError) -> dict[str, dict[str, object]]:
    return {
        detail["@type"].removeprefix("type.googleapis.com/google.rpc."): detail
        for detail in error.payload()["error"]["details"]
    }


@pytest.mark.parametrize("code", STATUS_OF_CODE)
def test_the_envelope_starts_with_error_and_has_a_numeric_code(code):
    payload = ApiError(code, "why").payload()
    assert list(payload) == ["error"]
    assert payload["error"] == {"code": code, "message": "why", "status": STATUS_OF_CODE[code]}


def test_a_code_without_a_status_is_unknown():
    assert ApiError(418, "teapot").payload()["error"]["status"] == "UNKNOWN"


def test_field_violations_name_field_and_description():
    error = bad_request([("a.b", "no good"), ("", "nor this")])
    assert error.message == "no good\nnor this"
    violations = _details(error)["BadRequest"]["fieldViolations"]
    assert violations == [{"field": "a.b", "description": "no good"}, {"description": "nor this"}]


def test_a_refused_key_carries_error_info_and_a_localized_message():
    details = _details(key_invalid())
    assert details["ErrorInfo"]["reason"] == "API_KEY_INVALID"
    assert details["ErrorInfo"]["domain"] == "googleapis.com"
    assert details["LocalizedMessage"]["locale"] == "en-US"


def test_an_exceeded_quota_names_metric_id_dimensions_value_and_delay():
    error = quota_errors.quota_exceeded(
        [quota_errors.FREE_REQUESTS_PER_DAY], "gemini-3.6-flash", Decimal("27")
    )
    details = _details(error)
    assert details["QuotaFailure"]["violations"] == [
        {
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            "quotaDimensions": {"location": "global", "model": "gemini-3.6-flash"},
            "quotaValue": "20",
        }
    ]
    assert details["RetryInfo"]["retryDelay"] == "27s"
    assert details["Help"]["links"]
    assert "limit: 20, model: gemini-3.6-flash" in error.message
    assert error.message.endswith("Please retry in 27s.")


@pytest.mark.parametrize(
    ("delay", "text"), [("36", "36s"), ("30", "30s"), ("45.837906927", "45.837906927s"), ("0.250", "0.25s")]
)
def test_delays_keep_their_digits(delay, text):
    assert quota_errors.retry_info(Decimal(delay))["retryDelay"] == text


def test_later_violations_lack_a_value_and_details_may_come_in_another_order():
    quotas = [quota_errors.REQUESTS_PER_MINUTE, quota_errors.REQUESTS_PER_MINUTE]
    error = quota_errors.quota_exceeded(quotas, "m", Decimal(1), retry_first=True)
    assert next(iter(_details(error))) == "RetryInfo"
    first, second = _details(error)["QuotaFailure"]["violations"]
    assert "quotaValue" in first
    assert "quotaValue" not in second
