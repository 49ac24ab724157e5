"""Waiting for a notice to come by, or for word that none is missing."""

import asyncio

from sidecar.core.bulletin import Notice
from sidecar.core.ports import Bulletin

PATIENCE_S = 10.0
"""How long a test waits for what must happen; reached only by a failure."""


async def heard(bulletin: Bulletin, kind: str, key: str, value: str) -> Notice:
    """Wait until a key has a value; returns its notice."""
    snapshot = bulletin.watch(kind)
    async with asyncio.timeout(PATIENCE_S):
        while key not in snapshot.notices or snapshot.notices[key].value != value:
            snapshot = await bulletin.changed(kind, snapshot)
    return snapshot.notices[key]


async def confirmed(bulletin: Bulletin, kind: str, after: float) -> float:
    """Wait until what is known of a kind was confirmed at that time or later; returns when it was."""
    async with asyncio.timeout(PATIENCE_S):
        while (confirmed_at := bulletin.watch(kind).confirmed_at) < after:  # noqa: ASYNC110 - for tests alone
            await asyncio.sleep(0.01)
    return confirmed_at
