"""Keep what is slow to start from test to test, as long as no test harms it."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Generic, Protocol, TypeVar


class Harmable(Protocol):
    """What can be emptied, and tells whether it must be replaced."""

    @property
    def is_spoiled(self) -> bool: ...

    def flush(self) -> None: ...


Server = TypeVar("Server", bound=Harmable)


class Kept(Generic[Server]):
    """Lends one server after the other: the same one until it is spoiled."""

    def __init__(self, start: Callable[[Path], AbstractContextManager[Server]]) -> None:
        self._start = start
        self._closing = ExitStack()
        self._server: Server | None = None

    @contextmanager
    def lent(self) -> Iterator[Server]:
        """An empty one."""
        if self._server is None:
            self._server = self._closing.enter_context(self._start(self._folder()))
        self._server.flush()
        yield self._server
        if self._server.is_spoiled:
            self.close()

    def close(self) -> None:
        """Stop the one that is kept, if any."""
        self._server = None
        self._closing.close()

    def _folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="redis-"))  # short: the path of a unix socket has 107 bytes
        self._closing.callback(shutil.rmtree, folder)
        return folder
