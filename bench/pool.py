"""The figure of pools: what choosing among endpoints costs a call."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from bench.figures import UNARY, Bench, Found, compared
from bench.processes import program
from bench.sidecars import sidecar

_PROJECT = """\
  - name: {name}
    api: gemini
    key: {{env: BENCH_KEY}}
    base_url: http://127.0.0.1:{port}
"""


async def pool_kept(bench: Bench) -> Found:
    """Generate over three endpoints that share the load, against the same over one of them."""
    with (
        program("bench.upstream", bench.rest) as first,
        program("bench.upstream", bench.rest) as second,
        program("bench.upstream", bench.rest) as third,
    ):
        others = {"second": second.port, "third": third.port}
        more = "".join(_PROJECT.format(name=name, port=port) for name, port in others.items())
        with (
            sidecar(first.port, bench.measured, policy=more) as pool,
            sidecar(first.port, bench.measured) as single,
        ):
            return await compared(bench, UNARY, pool, single)


FIGURES: Mapping[str, Callable[[Bench], Coroutine[Any, Any, Found]]] = {"pool_kept": pool_kept}
