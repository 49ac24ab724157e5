"""The emulator's own quotas on the wire, under a clock that the test advances."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
import pytest

from sidecar.emulator import Emulator, ManualClock, parse_plan
from tests.integration.emulator.wire import ARRAY, MODEL, PROMPT, STREAM, UNARY

_VERTEX = f"/v1/projects/p/locations/global/publishers/google/models/{MODEL}:generateContent"
_PREFIX = "generativelanguage.googleapis.com/"
_LONG = {"contents": [{"parts": [{"text": "A word or two about harbours. " * 400}]}]}

Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
async def ask(clock: ManualClock, request: pytest.FixtureRequest) -> AsyncIterator[Ask]:
    """POST under the quota document of the test's parameter; returns status and parsed body."""
    async with (
        Emulator(quotas=parse_plan(request.param), clock=clock) as emulator,
        aiohttp.ClientSession(emulator.base_url) as session,
    ):

        async def post(
            path: str = UNARY, key: str = "any", body: Any = None, **headers: str
        ) -> tuple[int, Any]:
            fields = {
                "x-goog-api-key": key,
                **{name.replace("_", "-"): text for name, text in headers.items()},
            }
            async with session.post(path, json=body or PROMPT, headers=fields) as reply:
                raw = await reply.read()
                return reply.status, None if raw.startswith(b"data:") else orjson.loads(raw)

        yield post


def details(body: Any) -> dict[str, Any]:
    return {detail["@type"].rpartition(".")[2]: detail for detail in body["error"]["details"]}


@pytest.mark.parametrize("ask", [{"models": {"*": {"rpm": 2}}}], indirect=True)
async def test_a_call_too_many_is_refused_as_google_does_and_fits_when_it_was_told(ask, clock):
    assert (await ask())[0] == 200
    clock.advance(23.580123)
    assert (await ask(STREAM))[0] == 200
    status, body = await ask()
    assert status == 429
    assert body["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert (
        f"* Quota exceeded for metric: {_PREFIX}generate_requests_per_model, limit: 2, model: {MODEL}"
        in (body["error"]["message"])
    )
    assert body["error"]["message"].endswith("Please retry in 36.419877s.")
    found = details(body)
    assert found["QuotaFailure"]["violations"] == [
        {
            "quotaMetric": f"{_PREFIX}generate_requests_per_model",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
            "quotaDimensions": {"location": "global", "model": MODEL},
            "quotaValue": "2",
        }
    ]
    assert found["RetryInfo"]["retryDelay"] == "36.419877s"
    assert found["Help"]["links"]
    clock.advance(36.419876)
    assert (await ask())[0] == 429
    clock.advance(0.000001)
    assert (await ask())[0] == 200


@pytest.mark.parametrize("ask", [{"tier": "free", "models": {"*": {"tpm": 1500}}}], indirect=True)
async def test_input_tokens_are_counted_over_a_minute(ask, clock):
    assert (await ask())[0] == 200
    status, body = await ask(body=_LONG)
    assert status == 429
    [violation] = details(body)["QuotaFailure"]["violations"]
    assert violation["quotaId"] == "GenerateContentInputTokensPerModelPerMinute-FreeTier"
    assert violation["quotaValue"] == "1500"
    assert (await ask())[0] == 200


@pytest.mark.parametrize("ask", [{"models": {"*": {"rpd": 1}}}], indirect=True)
async def test_a_day_ends_at_midnight_pacific_whatever_the_delay_says(ask, clock):
    assert (await ask())[0] == 200
    status, body = await ask()
    found = details(body)
    assert (status, found["QuotaFailure"]["violations"][0]["quotaId"]) == (
        429,
        "GenerateRequestsPerDayPerProjectPerModel",
    )
    assert 18 <= float(found["RetryInfo"]["retryDelay"].removesuffix("s")) < 36
    clock.advance(20 * 3600 - 1)
    assert (await ask())[0] == 429
    clock.advance(1)
    assert (await ask())[0] == 200


@pytest.mark.parametrize("ask", [{"spend_usd": 0.0001}], indirect=True)
async def test_spend_is_refused_without_delay_or_quota(ask, clock):
    assert (await ask())[0] == 200
    status, body = await ask()
    assert status == 429
    assert "spend-based rate limit over the last 10 minutes" in body["error"]["message"]
    assert set(details(body)) == {"Help"}
    clock.advance(600)
    assert (await ask())[0] == 200


@pytest.mark.parametrize("ask", [{"tier": "free", "models": {"*": {"rpm": 0}}}], indirect=True)
async def test_a_limit_of_zero_is_a_model_that_is_not_offered(ask):
    status, body = await ask()
    assert status == 429
    assert "limit: 0," in body["error"]["message"]


@pytest.mark.parametrize(
    "ask",
    [{"models": {"*": {"rpm": 1}}, "projects": {"alpha": {"keys": ["k1", "k2"]}}}],
    indirect=True,
)
async def test_keys_of_one_project_share_and_other_projects_and_models_do_not(ask):
    assert [(await ask(key=key))[0] for key in ("k1", "k2", "k3", "k3")] == [200, 429, 200, 429]
    assert (await ask(UNARY.replace(MODEL, "gemini-3.7-flash"), key="k1"))[0] == 200


@pytest.mark.parametrize("ask", [{"models": {"*": {"rpm": 1}}}], indirect=True)
async def test_vertex_ai_counts_by_the_project_of_the_path_and_gives_no_details(ask):
    bearer = {"key": "", "Authorization": "Bearer one"}
    assert (await ask(_VERTEX, **bearer))[0] == 200
    assert (await ask(_VERTEX.replace("/p/", "/q/"), **bearer))[0] == 200
    status, body = await ask(_VERTEX, **(bearer | {"Authorization": "Bearer two"}))
    assert status == 429
    assert "details" not in body["error"]


@pytest.mark.parametrize("ask", [{"models": {"*": {"rpm": 1}}}], indirect=True)
async def test_bad_requests_and_counting_use_nothing_up(ask):
    assert (await ask(body={"contents": []}))[0] == 400
    assert (await ask(key="invalid"))[0] == 400
    assert (await ask(f"/v1/models/{MODEL}:countTokens"))[0] == 200
    assert (await ask(x_emulate="fault=unavailable"))[0] == 503
    assert (await ask(x_emulate="fault=unavailable"))[0] == 429


@pytest.mark.parametrize("ask", [{"models": {"*": {"rpm": 1}}}], indirect=True)
async def test_the_refusal_of_an_array_stream_is_a_list(ask):
    await ask(ARRAY)
    status, body = await ask(ARRAY)
    assert (status, body[0]["error"]["code"]) == (429, 429)


@pytest.mark.parametrize("ask", [{"tier": "free", "models": {"*": {"rpm": 3}}}], indirect=True)
async def test_an_embedding_counts_each_content(ask):
    path = "/v1/models/gemini-embedding-001:batchEmbedContents"
    one = {"content": {"parts": [{"text": "one"}]}}
    assert (await ask(path, body={"requests": [one, one]}))[0] == 200
    status, body = await ask(path, body={"requests": [one, one]})
    assert status == 429
    [violation] = details(body)["QuotaFailure"]["violations"]
    assert violation["quotaId"] == "EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier"
    assert (await ask(path, body={"requests": [one]}))[0] == 200


@pytest.mark.parametrize(
    ("ask", "metric"),
    [
        ({"tier": tier, "models": {"*": {"tpm": 0}}}, metric)
        for tier, metric in [
            ("free", "generate_content_free_tier_input_token_count"),
            ("1", "generate_content_paid_tier_input_token_count"),
            ("2", "generate_content_paid_tier_2_input_token_count"),
            ("3", "generate_content_paid_tier_3_input_token_count"),
        ]
    ],
    indirect=["ask"],
    ids=["free", "tier-1", "tier-2", "tier-3"],
)
async def test_each_tier_has_its_metric(ask, metric):
    _, body = await ask()
    [violation] = details(body)["QuotaFailure"]["violations"]
    assert violation["quotaMetric"] == _PREFIX + metric


@pytest.mark.parametrize("ask", [{"spend_usd": 0, "models": {"*": {"rpm": 0, "rpd": 0}}}], indirect=True)
async def test_all_exceeded_quotas_are_named_but_spend(ask):
    _, body = await ask()
    found = details(body)
    assert [violation["quotaId"] for violation in found["QuotaFailure"]["violations"]] == [
        "GenerateRequestsPerMinutePerProjectPerModel",
        "GenerateRequestsPerDayPerProjectPerModel",
    ]
    assert found["RetryInfo"]["retryDelay"] == "60s"
