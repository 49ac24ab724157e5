"""The journal: what it counts, keeps, forgets and never holds."""

import asyncio

import pytest

from sidecar.emulator.observed import Ending, Journal, recorded_headers


def _journal(max_requests: int = 10, max_bytes: int = 1000) -> Journal:
    return Journal(max_requests, max_bytes)


def _open(journal: Journal, **headers: str) -> int:
    return journal.open("POST", "/v1/models/m:generateContent", "m", headers)


def test_every_request_is_active_until_it_ends_one_way():
    journal = _journal()
    numbers = [_open(journal) for _ in range(4)]
    journal.close(numbers[0], Ending.FINISHED, 200)
    journal.close(numbers[1], Ending.DISCONNECTED, None)
    journal.close(numbers[2], Ending.CUT, 200)
    assert journal.snapshot().counts() == {
        "received": 4, "active": 1, "finished": 1, "disconnected": 1, "cut": 1,
    }  # fmt: skip


def test_a_record_holds_path_body_headers_and_ending():
    journal = _journal()
    number = _open(journal, **{"X-Request-Id": "r-1"})
    journal.read(number, {"contents": []}, 15)
    journal.close(number, Ending.FINISHED, 200)
    [record] = journal.snapshot().requests
    assert (record.number, record.path, record.model) == (1, "/v1/models/m:generateContent", "m")
    assert (record.request_id, record.body, record.ending, record.status) == (
        "r-1", {"contents": []}, Ending.FINISHED, 200,
    )  # fmt: skip


def test_credentials_are_never_recorded():
    headers = {
        "X-Goog-Api-Key": "secret", "Authorization": "Bearer secret", "Cookie": "secret",
        "X-Server-Timeout": "10", "X-Vertex-AI-LLM-Request-Type": "shared",
    }  # fmt: skip
    assert recorded_headers(headers) == {
        "x-server-timeout": "10",
        "x-vertex-ai-llm-request-type": "shared",
    }


def test_the_oldest_records_go_first_when_there_are_too_many():
    journal = _journal(max_requests=3)
    for _ in range(5):
        _open(journal)
    assert [record.number for record in journal.snapshot().requests] == [3, 4, 5]
    journal.close(1, Ending.FINISHED, 200)
    assert journal.snapshot().finished == 1


def test_the_oldest_records_go_first_when_bodies_grow_too_large():
    journal = _journal(max_bytes=100)
    for size_bytes in (60, 30, 50, 500):
        journal.read(_open(journal), {}, size_bytes)
    assert [record.number for record in journal.snapshot().requests] == [4]


async def test_waiting_returns_the_snapshot_that_satisfies():
    journal = _journal()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(journal.wait_for(lambda seen: seen.finished == 1, 5))
        number = _open(journal)
        journal.close(number, Ending.FINISHED, 200)
    assert waiting.result().finished == 1


async def test_waiting_returns_at_once_when_it_is_satisfied():
    assert (await _journal().wait_for(lambda seen: seen.received == 0, 5)).received == 0


async def test_waiting_in_vain_tells_what_was_seen():
    journal = _journal()
    _open(journal)
    with pytest.raises(TimeoutError, match="received=1, active=1"):
        await journal.wait_for(lambda seen: seen.received == 2, 0.01)


def test_the_journal_says_its_state_in_words():
    assert repr(_journal()) == "<Journal 0 received, 0 active>"
