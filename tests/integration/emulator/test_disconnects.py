"""The client leaves: noticed in every state of a reply, counted once, and told to whoever waits."""

import asyncio
import socket

import aiohttp
import pytest
import uvloop

from sidecar.emulator import Emulator, Ending
from tests.integration.emulator.wire import PROMPT, STREAM, UNARY, RawConnection, fetch, scripted


async def _leave(emulator: Emulator, asking: "asyncio.Task[object]") -> None:
    """Cancel the client once its request has arrived, and wait until the emulator has noticed."""
    await emulator.wait_for(lambda seen: seen.active == 1 and seen.requests[-1].body is not None)
    asking.cancel()
    seen = await emulator.wait_for(lambda seen: seen.active == 0, timeout_s=1)
    assert seen.disconnected == 1
    assert seen.requests[-1].ending is Ending.DISCONNECTED
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("script", ["latency=1m", "fault=stall"])
@pytest.mark.parametrize("path", [UNARY, STREAM], ids=["unary", "stream"])
async def test_a_client_that_leaves_before_the_first_chunk_is_noticed(http, emulator, path, script):
    await _leave(emulator, asyncio.create_task(fetch(http, path, f"{script} after=0")))


@pytest.mark.parametrize("script", ["gap=1m chunks=3", "fault=stall chunks=3"])
async def test_a_client_that_leaves_between_chunks_is_noticed(http, emulator, script):
    async with http.post(STREAM, json=PROMPT, headers=scripted(script)) as reply:
        assert await reply.content.readuntil(b"\r\n\r\n")
    # Leaving the block without reading to the end closes the connection.
    seen = await emulator.wait_for(lambda seen: seen.disconnected == 1, timeout_s=1)
    assert seen.requests[0].status == 200


@pytest.mark.parametrize("path", [UNARY, STREAM], ids=["unary", "stream"])
async def test_a_client_that_leaves_while_the_emulator_cannot_write_is_noticed(emulator, path):
    host, port = emulator.base_url.removeprefix("http://").split(":")
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(slow, (host, int(port)))
        reader, writer = await asyncio.open_connection(sock=slow, limit=1024)
        connection = RawConnection(reader, writer)
        # More than all buffers between the two sides can hold, so the write cannot be done.
        await connection.post(path, "fault=oversized size=32MiB after=0")
        assert b"200 OK" in await connection.read_until(b"\r\n")
        assert emulator.observed.active == 1
        writer.transport.abort()
    assert (await emulator.wait_for(lambda seen: seen.active == 0, timeout_s=1)).disconnected == 1


async def test_a_client_that_leaves_while_sending_its_request_is_noticed(emulator):
    host, port = emulator.base_url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {UNARY} HTTP/1.1\r\nHost: emulator\r\nContent-Length: 1000\r\n\r\n{{".encode())
    await emulator.wait_for(lambda seen: seen.active == 1)
    writer.close()
    assert (await emulator.wait_for(lambda seen: seen.active == 0, timeout_s=1)).disconnected == 1


async def test_many_clients_that_leave_are_counted_one_by_one(http, emulator):
    leaving = [asyncio.create_task(fetch(http, STREAM, "latency=1m")) for _ in range(30)]
    staying = [asyncio.create_task(fetch(http, STREAM, "gap=1ms chunks=20")) for _ in range(20)]
    await emulator.wait_for(lambda seen: seen.received == 50)
    for asking in leaving:
        asking.cancel()
    await asyncio.gather(*staying)
    seen = await emulator.wait_for(lambda seen: seen.active == 0)
    assert (seen.finished, seen.disconnected) == (20, 30)


async def test_a_client_that_leaves_after_the_reply_has_not_disconnected(emulator):
    connection = await RawConnection.open(emulator)
    await connection.post(UNARY)
    await connection.read_reply()
    await connection.close()
    seen = await emulator.wait_for(lambda seen: seen.finished == 1)
    assert seen.disconnected == 0


async def test_stopping_cuts_what_is_being_answered_and_blames_nobody(http, emulator):
    asking = asyncio.create_task(fetch(http, STREAM, "fault=stall"))
    await emulator.wait_for(lambda seen: seen.active == 1)
    await emulator.stop()
    with pytest.raises(aiohttp.ClientError):
        await asking
    assert emulator.observed.counts() == {
        "received": 1, "active": 0, "finished": 0, "disconnected": 0, "cut": 1,
    }  # fmt: skip


def test_endings_are_the_same_on_uvloop():
    async def play() -> None:
        async with Emulator() as emulator, aiohttp.ClientSession(emulator.base_url) as http:
            http.headers["x-goog-api-key"] = "any"
            await _leave(emulator, asyncio.create_task(fetch(http, STREAM, "gap=1m")))
            await asyncio.gather(fetch(http, UNARY, "fault=reset"), return_exceptions=True)
            await asyncio.gather(fetch(http, STREAM, "fault=cut"), return_exceptions=True)
            connection = await RawConnection.open(emulator)
            await connection.post(UNARY, "fault=stale")
            await connection.read_reply()
            await connection.post(UNARY)
            assert await connection.read_to_end() == b""
            await connection.close()
            assert emulator.observed.counts() == {
                "received": 5, "active": 0, "finished": 1, "disconnected": 1, "cut": 3,
            }  # fmt: skip

    uvloop.run(play())
