"""What a candidate changes of a body, on the wire of both transports and both APIs."""

import json
from pathlib import Path
from typing import Any

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.call import Json
from sidecar.core.permit import Candidate
from sidecar.core.policy import Endpoint
from sidecar.core.ports import Transport
from sidecar.upstream.rewrite import SKIP_VALIDATION
from tests.contract.transport.conftest import as_sent_by
from tests.support import facts, google_account
from tests.support.upstream import Request, answers, said, serving

pytestmark = pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")

TIER_HEADER = "x-vertex-ai-llm-shared-request-type"
SIGNED: Json = {
    "contents": [
        {"parts": [{"text": "hi"}], "role": "user"},
        {
            "parts": [
                {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
                {"text": "so", "thoughtSignature": "c2ln"},
            ],
            "role": "model",
        },
        {"parts": [{"functionResponse": {"name": "f", "response": {"y": 2}}}], "role": "user"},
    ]
}


async def sent(transport: Transport, endpoint: Endpoint, body: Json, **changes: Any) -> None:
    candidate = Candidate(endpoint, facts.MODEL, **changes)
    await transport.send(Attempt(facts.call(body=body), facts.FakeGrant(candidate)))


def body_of(request: Request) -> Any:
    return json.loads(request.body)


@pytest.mark.parametrize("asked", [None, "PRIORITY"])
async def test_the_developer_api_is_asked_for_the_candidate_s_tier_in_the_body(
    transport: Transport, asked: str | None
) -> None:
    body = {**facts.HELLO, "serviceTier": asked} if asked else facts.HELLO
    async with serving(answers(said("hello", "STOP"))) as upstream:
        await sent(transport, facts.gemini(upstream.base_url), body, tier="flex")
    assert body_of(upstream.requests[0]) == as_sent_by(transport, {**facts.HELLO, "serviceTier": "flex"})


async def test_vertex_is_asked_for_the_candidate_s_tier_in_a_header(
    transport: Transport, tmp_path: Path
) -> None:
    async with (
        serving(google_account.grants("token")) as tokens,
        serving(answers(said("hello", "STOP"))) as upstream,
    ):
        account = google_account.credentials_file(tmp_path, tokens.base_url)
        endpoint = facts.vertex(upstream.base_url, credentials_file=account)
        await sent(transport, endpoint, facts.HELLO, tier="flex")
        await sent(transport, endpoint, {**facts.HELLO, "serviceTier": "FLEX"}, tier="standard")
    flex, standard = upstream.requests
    assert flex.headers[TIER_HEADER] == "flex"
    assert TIER_HEADER not in standard.headers
    assert [body_of(request) for request in (flex, standard)] == [as_sent_by(transport, facts.HELLO)] * 2


async def test_signatures_of_another_issuer_are_left_out(transport: Transport) -> None:
    async with serving(answers(said("hello", "STOP"))) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        await sent(transport, endpoint, SIGNED, strips_signatures=True)
        await sent(transport, endpoint, SIGNED)
    stripped, whole = (body_of(request)["contents"] for request in upstream.requests)
    assert [part.get("thoughtSignature") for part in stripped[1]["parts"]] == [SKIP_VALIDATION, None]
    assert [part["thoughtSignature"] for part in whole[1]["parts"]] == ["c2ln", "c2ln"]
    assert (stripped[0], stripped[2]) == (whole[0], whole[2])
