"""The adapter of the script: what it asks, and what it makes of answers and of none."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sidecar.limits.group import LedgerUnavailable
from sidecar.limits.message import Granted, Level, Report, Want
from sidecar.limits.redis_ledger import MalformedAnswer, RedisLedger, ledger_keys
from sidecar.store.errors import Outage, StoreUnavailable
from sidecar.store.slots import slot_of
from tests.support.ledger import NOON, Teller, rolling

ANSWER = [0, b"epoch", 0, 0, 3, 0, 0, 4, NOON, 0, [b"a/standard", 5, 20], 7, 1, 2, 40, 900, 1]


class Runner:
    """A script that returns, or raises, what the test says."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.asked: list[tuple[Sequence[str], Sequence[bytes]]] = []

    async def run(self, keys: Sequence[str], args: Sequence[bytes], timeout_s: float) -> Any:
        assert 0 < timeout_s <= 0.25
        self.asked.append((keys, args))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def report() -> Report:
    return Teller(None, [rolling(40)]).report()  # type: ignore[arg-type]


def changed(place: int, value: Any) -> list[Any]:
    return [*ANSWER[:place], value, *ANSWER[place + 1 :]]


async def test_a_report_goes_out_as_json_alone_so_that_redis_takes_its_own_clock() -> None:
    runner, told = Runner(ANSWER), report()
    await RedisLedger(runner, "quota/main/gemini", "gs").exchange(told)
    assert runner.asked == [(ledger_keys("gs", "quota/main/gemini"), [told.to_json()])]


def test_classes_are_told_by_the_bytes_of_their_names_and_all_in_one_list() -> None:
    names = ("b", "\U0001f600", "a/b", "\uffee", "a")
    wants = [Want(name, 2.0, [3], [1], [4]) for name in names]
    told = json.loads(replace(report(), wants=wants).to_json())["wants"]
    assert told == [each for name in sorted(names, key=str.encode) for each in (name, 2.0, 3, 1, 4)]


def test_of_what_is_optional_only_what_there_is_is_told() -> None:
    quiet, busy = (
        report(),
        replace(report(), wants=[Want("a", 2.0, [3], [1], [4])], seen=[7], is_leaving=True),
    )
    told, more = json.loads(quiet.to_json()), json.loads(busy.to_json())
    assert told["seq"] == 0
    assert not told.keys() & {"entries", "wants", "penalties", "seen", "is_leaving"}
    assert more.keys() - told.keys() == {"wants", "seen", "is_leaving"}


async def test_an_answer_is_read_field_by_field() -> None:
    answer = await RedisLedger(Runner(ANSWER), "quota/main/gemini", "gs").exchange(report())
    assert (answer.epoch, answer.holders, answer.seq, answer.clock_ms) == ("epoch", 3, 4, NOON)
    assert (answer.granted, answer.grants) == ([7], [Granted("a/standard", [5], 20)])
    assert answer.levels == [Level(used=1, held=2, limit=40, permille=900)]
    assert answer.shadow_denied == [0]


def test_all_keys_of_a_group_are_in_one_slot_and_no_other_group_has_them() -> None:
    keys = ledger_keys("gs", "budget/{curly}/a")
    slot_of(keys)  # raises when they are not
    assert not set(keys) & set(ledger_keys("gs", "budget/{curly}/b"))


async def test_an_outage_of_redis_is_one_of_the_ledger_and_says_why() -> None:
    ledger = RedisLedger(Runner(StoreUnavailable(Outage.LOADING)), "quota/main/gemini", "gs")
    with pytest.raises(LedgerUnavailable, match="loading"):
        await ledger.exchange(report())


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"OK",
        [],
        ANSWER[:-1],
        [*ANSWER, 0],
        changed(0, b"0"),
        changed(1, "text"),
        changed(1, b"\xff"),
        changed(2, None),
        changed(3, 1),
        changed(10, b""),
        changed(10, [b"a/standard", 5]),
        changed(10, [b"a/standard", 5, 20, b"b/standard"]),
        changed(10, [b"\xff", 5, 20]),
        changed(10, [7, 5, 20]),
        changed(10, [b"a/standard", [5], 20]),
        changed(16, b"0"),
        [*ANSWER, *ANSWER[11:]],
    ],
    ids=repr,
)
async def test_a_reply_that_is_no_answer_to_the_report_is_an_outage(raw: Any) -> None:
    with pytest.raises(MalformedAnswer):
        await RedisLedger(Runner(raw), "quota/main/gemini", "gs").exchange(report())
