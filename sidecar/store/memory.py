"""The bulletin of a sidecar that has no store, and the part that every bulletin has in this process."""

import asyncio
import re
from dataclasses import dataclass, field, replace

from sidecar.core.bulletin import Notice, Snapshot
from sidecar.store.board import Board

_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")
_KEY_MAX_BYTES, _VALUE_MAX_BYTES = 512, 4096


@dataclass(slots=True)
class _Watched:
    board: Board = field(default_factory=Board)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Boards:
    """One Board for each kind, and who waits for news of it."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}

    def __repr__(self) -> str:
        boards = (f"{kind}: {watched.board!r}" for kind, watched in self._watched.items())
        return f"<Boards {', '.join(boards) or 'none'}>"

    @property
    def kinds(self) -> list[str]:
        """The kinds in use."""
        return list(self._watched)

    def __contains__(self, kind: str) -> bool:
        return kind in self._watched

    def board(self, kind: str) -> Board:
        """The Board of a kind, made when it is asked for first. Raises ValueError for what is no kind."""
        if kind not in self._watched:
            if not _KIND.fullmatch(kind):
                raise ValueError(f"{kind!r} is no kind of notices: write a word in lower case")
            self._watched[kind] = _Watched()
        return self._watched[kind].board

    def post(self, kind: str, key: str, notice: Notice, now: float) -> bool:
        """Take an own notice; whether it stands. Raises ValueError for what is none."""
        if not key or len(key.encode()) > _KEY_MAX_BYTES:
            raise ValueError(f"the key of a notice has 1 to {_KEY_MAX_BYTES} bytes")
        if len(notice.value.encode()) > _VALUE_MAX_BYTES:
            raise ValueError(f"the value of a notice has at most {_VALUE_MAX_BYTES} bytes")
        stands = self.board(kind).post(key, notice, now)
        if stands:
            self.tell(kind)
        return stands

    def tell(self, kind: str) -> None:
        """Wake who waits for news of a kind."""
        watched = self._watched[kind]
        watched.news.set()
        watched.news = asyncio.Event()

    async def changed(self, kind: str, seen: Snapshot) -> Snapshot:
        """Wait for other notices than those seen."""
        board = self.board(kind)
        while board.snapshot.version == seen.version:
            await self._watched[kind].news.wait()
        return board.snapshot


class MemoryBulletin:
    """A Bulletin whose fleet is this process."""

    def __init__(self) -> None:
        self._boards = Boards()
        self._loop = asyncio.get_running_loop()

    def __repr__(self) -> str:
        return f"<MemoryBulletin: {self._boards!r}>"

    def put(self, kind: str, key: str, value: str, until: float) -> None:
        """Let a notice hold."""
        self._boards.post(kind, key, Notice(value, until), self._loop.time())

    def watch(self, kind: str) -> Snapshot:
        """What is known; always confirmed, because nobody else knows anything."""
        return replace(self._boards.board(kind).snapshot, confirmed_at=self._loop.time())

    async def changed(self, kind: str, seen: Snapshot) -> Snapshot:
        """Wait for other notices than those seen."""
        await self._boards.changed(kind, seen)
        return self.watch(kind)
