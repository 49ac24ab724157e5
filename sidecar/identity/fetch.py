"""Gets an issuer's key set: over HTTPS, or from a file. Bounded in time and size; follows no redirect."""

import asyncio
import ssl
from pathlib import Path

import aiohttp

from sidecar.config.faults import Unacceptable
from sidecar.config.files import FileReader
from sidecar.identity.jwks import Unloadable

DOCUMENT_MAX_BYTES = 256 * 1024
TIMEOUT_S = 5.0


class RemoteDocument:
    """A document at a URL, whose server is verified by the authorities of `ca_file`, else the system's."""

    def __init__(self, url: str, ca_file: Path | None, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._place = url.partition("?")[0]  # a query may hold what is not to be logged
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"<RemoteDocument {self._place}>"

    async def __call__(self) -> bytes:
        """Get it. Raises Unloadable."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._get()
        except TimeoutError:
            raise Unloadable(f"{self._place} has not answered within {self._timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unloadable(f"{self._place} cannot be asked: {type(error).__name__}") from error

    async def _get(self) -> bytes:
        connector = aiohttp.TCPConnector(ssl=self._tls, force_close=True)  # minutes pass between two
        async with (
            aiohttp.ClientSession(connector=connector, auto_decompress=False) as http,
            http.get(
                self._url,
                allow_redirects=False,
                headers={"accept": "application/json", "accept-encoding": "identity"},
            ) as response,
        ):
            if response.status != 200:
                raise Unloadable(f"{self._place} answers {response.status}")
            document = await response.content.read(DOCUMENT_MAX_BYTES + 1)
            while len(document) <= DOCUMENT_MAX_BYTES and (more := await response.content.read(64 * 1024)):
                document += more
        if len(document) > DOCUMENT_MAX_BYTES:
            raise Unloadable(f"{self._place} answers more than {DOCUMENT_MAX_BYTES} bytes")
        return document


class FileDocument:
    """A document in a file, which may be replaced at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"<FileDocument {self._path}>"

    async def __call__(self) -> bytes:
        """Read it. Raises Unloadable."""
        try:
            return await asyncio.to_thread(FileReader().read, self._path, DOCUMENT_MAX_BYTES)
        except Unacceptable as refusal:
            raise Unloadable(f"{self._path} {refusal.reason}") from None
