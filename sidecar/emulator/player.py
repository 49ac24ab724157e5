"""Playing an answer to a client: the only module that writes replies and touches connections.

Decides how steps become bytes on the wire and how an ending is told: finished, or cut by the emulator itself.
That the client left is told by exceptions (`ConnectionError`, cancellation), which the server turns into an
ending.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import Transport

from aiohttp import web

from sidecar.emulator.answer import Act, Answer, Wait
from sidecar.emulator.observed import Ending

_SERVER = "gemini-emulator"
_NO_LINGER = struct.pack("ii", 1, 0)


class Player:
    """Plays answers and remembers the connections that have expired."""

    def __init__(self) -> None:
        self._expired: set[Transport] = set()

    def __repr__(self) -> str:
        return f"<Player with {len(self._expired)} expired connections>"

    def is_expired(self, http: web.BaseRequest) -> bool:
        """Whether an earlier answer on this connection let it expire."""
        return bool(self._expired) and http.transport in self._expired

    def hang_up(self, http: web.BaseRequest) -> web.StreamResponse:
        """Close the connection; bytes already written still go out."""
        _transport(http).close()
        return web.Response()

    async def play(self, http: web.BaseRequest, answer: Answer) -> tuple[web.StreamResponse, Ending]:
        """Write `answer` and return the response object together with how it ended.

        Raises:
            ConnectionError: the client has left.
        """
        response: web.StreamResponse | None = None
        for step in answer.steps:
            if not isinstance(step, bytes):
                if await self._act(http, step):
                    return response or web.Response(), Ending.CUT
            elif response is None:
                response = await _begin(http, answer, step)
            else:
                await response.write(step)
        if response is None:
            response = await _begin(http, answer, b"")
        await response.write_eof()
        return response, Ending.FINISHED

    async def _act(self, http: web.BaseRequest, step: Wait | Act) -> bool:
        """Do what is not writing; return whether the connection is gone now."""
        if isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
        elif step is Act.STALL:
            await asyncio.Event().wait()
        elif step is Act.EXPIRE:
            self._expire(_transport(http))
        elif step is Act.CLOSE:
            _transport(http).close()
            return True
        else:
            _reset(_transport(http))
            return True
        return False

    def _expire(self, transport: Transport) -> None:
        # Closed ones are dropped here, not by weak references: not every transport of uvloop can have any.
        self._expired = {known for known in self._expired if not known.is_closing()} | {transport}


async def _begin(http: web.BaseRequest, answer: Answer, first: bytes) -> web.StreamResponse:
    """Send the head of `answer` with its first bytes."""
    headers = {"Content-Type": answer.content_type, "Server": _SERVER, **dict(answer.headers)}
    if answer.tier:
        headers["x-gemini-service-tier"] = answer.tier
    if answer.length == len(first):
        # Head and body leave in one piece.
        whole = web.Response(status=answer.status, headers=headers, body=first)
        await whole.prepare(http)
        return whole
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = answer.length
    await response.prepare(http)
    if first:
        await response.write(first)
    return response


def _transport(http: web.BaseRequest) -> Transport:
    if http.transport is None:
        raise ConnectionResetError("the client has left")
    return http.transport


def _reset(transport: Transport) -> None:
    """Close the connection such that the peer sees a reset instead of an end."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
