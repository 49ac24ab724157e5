"""Several keys of one project: which is shown, and what becomes of one that was refused."""

import logging

import pytest

from sidecar.core.errors import UpstreamCredentials
from sidecar.core.ports import Transport
from sidecar.core.secret import Secret
from tests.support import facts
from tests.support.upstream import Script, ScriptedUpstream, answers, refusal, said, serving

A, B = Secret("key-a-hidden"), Secret("key-b-hidden")
GOOD = answers(said("hello", "STOP"))
REASON = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
REFUSALS = [
    answers(refusal(400, "INVALID_ARGUMENT", "API key not valid.", REASON), 400),
    answers(refusal(401, "UNAUTHENTICATED", "Who are you?"), 401),
    answers(refusal(403, "PERMISSION_DENIED", "This key was suspended."), 403),
]


def shown(upstream: ScriptedUpstream) -> list[str]:
    return [request.headers["x-goog-api-key"] for request in upstream.requests]


async def test_keys_are_shown_in_turn(transport: Transport) -> None:
    async with serving(GOOD) as upstream:
        for _ in range(3):
            await transport.send(facts.attempt(facts.gemini(upstream.base_url, keys=(A, B))))
    assert shown(upstream) == [A.reveal(), B.reveal(), A.reveal()]


@pytest.mark.parametrize("refused", REFUSALS, ids=["400", "401", "403"])
async def test_a_refused_key_is_left_out_and_told_once_without_the_key(
    transport: Transport, refused: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serving(refused, GOOD) as upstream:
        endpoint = facts.gemini(upstream.base_url, keys=(A, B))
        with pytest.raises(UpstreamCredentials) as raised:
            await transport.send(facts.attempt(endpoint))
        for _ in range(3):
            await transport.send(facts.attempt(endpoint))
    assert raised.value.has_other_key
    assert shown(upstream) == [A.reveal()] + [B.reveal()] * 3
    (record,) = [record for record in caplog.records if "refused a key" in record.message]
    assert record.__dict__["fields"] == {"project": "main", "key": 1, "of": 2, "rests_s": 300.0}
    assert "hidden" not in caplog.text


async def test_the_only_key_is_shown_again_although_it_was_refused(transport: Transport) -> None:
    async with serving(REFUSALS[0], GOOD) as upstream:
        endpoint = facts.gemini(upstream.base_url, keys=(A,))
        with pytest.raises(UpstreamCredentials) as raised:
            await transport.send(facts.attempt(endpoint))
        await transport.send(facts.attempt(endpoint))
    assert not raised.value.has_other_key
    assert shown(upstream) == [A.reveal()] * 2


async def test_when_all_keys_are_refused_the_first_refused_is_tried(transport: Transport) -> None:
    async with serving(REFUSALS[0], REFUSALS[0], GOOD) as upstream:
        endpoint = facts.gemini(upstream.base_url, keys=(A, B))
        for has_other in (True, False):
            with pytest.raises(UpstreamCredentials) as raised:
                await transport.send(facts.attempt(endpoint))
            assert raised.value.has_other_key is has_other
        await transport.send(facts.attempt(endpoint))
    assert shown(upstream) == [A.reveal(), B.reveal(), A.reveal()]


async def test_another_s_file_is_not_blamed_on_the_key(transport: Transport) -> None:
    foreign = answers(
        refusal(403, "PERMISSION_DENIED", "You do not have permission to access the File x"), 403
    )
    async with serving(foreign, GOOD) as upstream:
        endpoint = facts.gemini(upstream.base_url, keys=(A, B))
        with pytest.raises(Exception, match="permission to access"):
            await transport.send(facts.attempt(endpoint))
        for _ in range(2):
            await transport.send(facts.attempt(endpoint))
    assert shown(upstream) == [A.reveal(), B.reveal(), A.reveal()]
