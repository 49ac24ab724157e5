"""The figures against other gateways: Generate calls/s over their chat completions/s, on the same upstream.

They speak another protocol and do other work besides, so this compares what a user would run, not equal work.
A peer that cannot be measured here is left out, with a line on standard error that says why.
"""

import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from bench.figures import CONCURRENCY, UNARY, Bench, Found
from bench.load import run_load
from bench.pairs import ratio
from bench.peers.http_load import run_http_load
from bench.peers.litellm import LITELLM
from bench.peers.peer import Peer
from bench.peers.portkey import PORTKEY
from bench.processes import program
from bench.sidecars import sidecar

PEERS: Mapping[str, Peer] = {peer.name: peer for peer in (LITELLM, PORTKEY)}
_WARM_UP_S = 5.0
"""V8 compiles what is hot, and LiteLLM imports what it needs, in the first seconds of load."""


async def vs_litellm(bench: Bench) -> Found | None:
    """Generate against LiteLLM's proxy."""
    return await _vs(bench, LITELLM)


async def vs_portkey(bench: Bench) -> Found | None:
    """Generate against Portkey's gateway."""
    return await _vs(bench, PORTKEY)


FIGURES: Mapping[str, Callable[[Bench], Coroutine[Any, Any, Found | None]]] = {
    "vs_litellm": vs_litellm,
    "vs_portkey": vs_portkey,
}


async def _vs(bench: Bench, peer: Peer) -> Found | None:
    if obstacle := peer.obstacle():
        sys.stderr.write(
            f"vs_{peer.name} is left out: {peer.name}: {obstacle}; "
            f"to install it: python -m bench.peers.install {peer.name}\n"
        )
        return None
    with (
        program("bench.upstream", bench.rest) as upstream,
        peer.serving(upstream.port, bench.measured) as other,
        sidecar(upstream.port, bench.measured) as served,
    ):
        question = peer.question(upstream.port)

        async def generate(seconds: float = bench.seconds) -> float:
            return (await run_load(served.port, UNARY, CONCURRENCY, seconds)).calls_per_s

        async def complete(seconds: float = bench.seconds) -> float:
            return (await run_http_load(other.port, question, CONCURRENCY, seconds)).calls_per_s

        await complete(_WARM_UP_S)
        await generate(_WARM_UP_S)
        found = await ratio(generate, complete, bench.pairs)
    spread = f"quartiles {found.low:.2f} to {found.high:.2f}"
    return Found(
        found.median,
        f"{found.side:,.0f} against {found.other:,.0f} calls/s of {peer.name} {peer.version}; {spread}",
    )
