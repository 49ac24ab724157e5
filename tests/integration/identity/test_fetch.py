"""Key sets from real servers and files."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from sidecar.identity.fetch import DOCUMENT_MAX_BYTES, FileDocument, RemoteDocument
from sidecar.identity.jwks import Unloadable
from tests.support.certificates import Authority

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The base URL of a server that gives one answer to everything."""
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def says(body: bytes, status: int = 200, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers=headers)

    return answer


async def test_a_document_is_what_the_server_says() -> None:
    async with server(says(b"x" * DOCUMENT_MAX_BYTES)) as url:
        assert await RemoteDocument(f"{url}/keys", None)() == b"x" * DOCUMENT_MAX_BYTES


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(b"x" * (DOCUMENT_MAX_BYTES + 1)), "more than"),
        (says(b"", 302, Location="/elsewhere"), "answers 302"),
        (says(b"", 503), "answers 503"),
    ],
)
async def test_what_is_no_answer_is_said(answer: Answer, words: str) -> None:
    async with server(answer) as url:
        with pytest.raises(Unloadable, match=words):
            await RemoteDocument(url, None)()


async def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(Unloadable, match="cannot be asked") as refusal:
        await RemoteDocument("http://127.0.0.1:1/keys?code=sesame", None)()
    assert "sesame" not in str(refusal.value)


async def test_a_server_must_have_a_certificate_of_the_authorities_named(tmp_path: Path) -> None:
    authority = Authority()
    tls = authority.server_context(tmp_path)
    async with server(says(b"keys"), tls) as url:
        assert await RemoteDocument(url, authority.bundle(tmp_path))() == b"keys"
        with pytest.raises(Unloadable):
            await RemoteDocument(url, None)()


async def test_a_server_that_never_ends_is_cut_short() -> None:
    async def drips(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 1024)

    async with server(drips) as url:
        with pytest.raises(Unloadable, match="more than"):
            await RemoteDocument(url, None)()


async def test_a_silent_server_is_given_up() -> None:
    async def waits(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with server(waits) as url:
        with pytest.raises(Unloadable, match=r"within 0\.05 s"):
            await RemoteDocument(url, None, timeout_s=0.05)()


async def test_a_file_is_read_each_time_anew(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    document = FileDocument(path)
    with pytest.raises(Unloadable, match="cannot be read"):
        await document()
    path.write_bytes(b"first")
    assert await document() == b"first"
    path.write_bytes(b"second")
    assert await document() == b"second"
    path.write_bytes(b"x" * (DOCUMENT_MAX_BYTES + 1))
    with pytest.raises(Unloadable, match="larger than"):
        await document()
