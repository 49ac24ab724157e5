"""The state page: the journal over HTTP, with a wait for what is yet to come."""

import asyncio

import pytest

from tests.integration.emulator.wire import MODEL, PROMPT, UNARY, fetch

_PAGE = "/emulator/state"


async def test_the_page_shows_counts_and_requests(http):
    await fetch(http, UNARY)
    async with http.get(_PAGE) as reply:
        page = await reply.json()
    assert {name: page[name] for name in ("received", "active", "finished", "disconnected", "cut")} == {
        "received": 1, "active": 0, "finished": 1, "disconnected": 0, "cut": 0,
    }  # fmt: skip
    [record] = page["requests"]
    assert (record["path"], record["model"], record["body"], record["ending"], record["status"]) == (
        UNARY, MODEL, PROMPT, "finished", 200,
    )  # fmt: skip


async def test_the_page_waits_for_a_disconnect_and_for_idleness(http, emulator):
    async def page(query: str) -> int:
        async with http.get(f"{_PAGE}?{query}") as reply:
            return (await reply.json())["disconnected"]

    asking = asyncio.create_task(fetch(http, UNARY, "latency=1m"))
    await emulator.wait_for(lambda seen: seen.active == 1)
    waiting = [
        asyncio.create_task(page(query))
        for query in ("disconnected=1", "until=idle", "until=idle&received=1")
    ]
    asking.cancel()
    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_a_condition_that_is_not_met_in_time_is_a_408_with_the_state(http):
    async with http.get(f"{_PAGE}?finished=1&timeout=10ms") as reply:
        assert reply.status == 408
        assert (await reply.json())["finished"] == 0


@pytest.mark.parametrize("query", ["until=busy", "finished=many", "colour=red", "timeout=3", "timeout=soon"])
async def test_a_bad_condition_is_refused(http, query):
    async with http.get(f"{_PAGE}?{query}") as reply:
        assert reply.status == 400
        assert (await reply.json())["error"]["message"]


async def test_asking_for_the_page_is_not_a_request_to_the_api(http, emulator):
    async with http.get(_PAGE) as reply:
        assert (await reply.json())["received"] == 0
    assert emulator.observed.received == 0
