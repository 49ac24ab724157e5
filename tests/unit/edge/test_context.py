import asyncio
import re
from typing import Any, cast

import pytest

from sidecar.config.settings import DeadlineSettings
from sidecar.core.call import Arrival, Method
from sidecar.edge.context import Arrivals
from tests.unit.edge.fakes import FakeContext

DEADLINE = DeadlineSettings(default=600, margin=0.1)


async def arrived(deadline: DeadlineSettings = DEADLINE, **context: Any) -> Arrival:
    return Arrivals("local", deadline).arrive(Method.GENERATE, cast(Any, FakeContext(**context)))


@pytest.mark.parametrize(
    "request_id", ["a", "req-1", "A.b_c:d/e+f=", "x" * 128, "018f3c1e-7b7a-7c60-9d5e-000000000000"]
)
async def test_a_usable_request_id_is_kept(request_id: str) -> None:
    assert (await arrived(x_request_id=request_id)).request_id == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "a\n", "ü", "a;b", '"', b"bytes"], ids=repr)
async def test_an_unusable_request_id_is_replaced(request_id: str | bytes) -> None:
    made = (await arrived(x_request_id=request_id)).request_id
    assert re.fullmatch(r"[0-9a-f]{32}", made)


@pytest.mark.parametrize(
    ("given", "priority"),
    [("batch", "batch"), ("Critical", "critical"), ("x" * 64, ""), ("a b", ""), ("", ""), (b"batch", "")],
    ids=repr,
)
async def test_the_priority_wanted_is_one_word_in_any_case(given: str | bytes, priority: str) -> None:
    assert (await arrived(x_priority=given)).priority == priority


async def test_without_a_word_no_priority_is_wanted() -> None:
    assert (await arrived()).priority == ""


async def test_of_a_key_given_twice_the_first_counts() -> None:
    context = FakeContext()
    context.metadata = (("x-request-id", "mine"), ("x-request-id", "a proxy's"))
    assert Arrivals("local", DEADLINE).arrive(Method.GENERATE, cast(Any, context)).request_id == "mine"


async def test_a_request_id_is_minted_anew_for_each_call() -> None:
    assert (await arrived()).request_id != (await arrived()).request_id


@pytest.mark.parametrize(
    ("remaining_s", "allowed_s"),
    [
        (None, 600.0),
        (60.0, 59.9),
        (1.0, 0.9),
        (0.5, 0.45),
        (0.01, 0.009),
        (0.0, 0.0),
        (86_400.0, 86_399.9),
    ],
)
async def test_the_time_allowed_is_the_caller_s_less_a_margin(
    remaining_s: float | None, allowed_s: float
) -> None:
    """A tenth of a short deadline at most: else nothing would be left to work with."""
    arrival = await arrived(remaining_s=remaining_s)
    assert arrival.allowed_s == pytest.approx(allowed_s)
    left_s = arrival.deadline - asyncio.get_running_loop().time()
    assert left_s == pytest.approx(allowed_s, abs=0.2)


async def test_an_arrival_names_its_listener_and_method() -> None:
    arrival = await arrived()
    assert (arrival.listener, arrival.method) == ("local", Method.GENERATE)
