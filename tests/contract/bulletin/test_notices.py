"""What every Bulletin promises."""

import asyncio

import pytest

from sidecar.core.ports import Bulletin
from tests.contract.bulletin.conftest import Fleet
from tests.support.bulletin import confirmed, heard

KIND = "cooldown"


async def test_a_notice_is_known_here_at_once(fleet: Fleet, now: float) -> None:
    here = fleet[0]
    here.put(KIND, "key", "value", now + 60)
    snapshot = here.watch(KIND)
    assert snapshot.value("key", now) == "value"
    assert snapshot.notices["key"].until == now + 60


async def test_a_notice_is_known_to_all(fleet: Fleet, now: float) -> None:
    fleet[0].put(KIND, "key", "värde\n{}", now + 60)
    for sidecar in fleet:
        notice = await heard(sidecar, KIND, "key", "värde\n{}")
        assert notice.until == pytest.approx(now + 60, abs=1)
        assert notice.until >= now + 60 - 0.001


async def test_who_comes_later_learns_what_was_put_before(fleet: Fleet, now: float) -> None:
    fleet[0].put(KIND, "key", "value", now + 60)
    await heard(fleet[1], KIND, "key", "value")
    assert "key" not in fleet[2].watch("another_kind").notices
    await heard(fleet[2], KIND, "key", "value")


async def test_the_later_deadline_wins_whoever_puts_it_and_whenever(fleet: Fleet, now: float) -> None:
    fleet[0].put(KIND, "key", "long", now + 120)
    fleet[1].put(KIND, "key", "short", now + 60)
    for sidecar in fleet:
        await heard(sidecar, KIND, "key", "long")
    fleet[2].put(KIND, "key", "short again", now + 90)
    fleet[2].put(KIND, "key", "longest", now + 180)
    for sidecar in fleet:
        await heard(sidecar, KIND, "key", "longest")


async def test_a_notice_ends_at_its_deadline(fleet: Fleet, now: float) -> None:
    fleet[0].put(KIND, "key", "value", now + 60)
    for sidecar in fleet:
        notice = await heard(sidecar, KIND, "key", "value")
        snapshot = sidecar.watch(KIND)
        assert snapshot.value("key", notice.until - 0.001) == "value"
        assert snapshot.value("key", notice.until) is None
        assert snapshot.live(notice.until) == {}


async def test_after_its_deadline_another_with_an_earlier_one_can_be_put(fleet: Fleet, now: float) -> None:
    fleet[0].put(KIND, "key", "first", now + 0.05)
    await asyncio.sleep(0.06)
    fleet[1].put(KIND, "key", "second", now + 60)
    for sidecar in fleet:
        await heard(sidecar, KIND, "key", "second")


async def test_what_has_ended_when_it_is_put_is_no_notice(fleet: Fleet, now: float) -> None:
    fleet[0].put(KIND, "key", "value", now)
    assert fleet[0].watch(KIND).notices == {}


async def test_kinds_do_not_mix(fleet: Fleet, now: float) -> None:
    fleet[0].put("cooldown", "key", "a", now + 60)
    fleet[0].put("sanction", "key", "b", now + 60)
    for sidecar in fleet:
        await heard(sidecar, "cooldown", "key", "a")
        await heard(sidecar, "sanction", "key", "b")


async def test_a_snapshot_says_since_when_it_is_confirmed(fleet: Fleet, now: float) -> None:
    confirmed_at = await confirmed(fleet[0], KIND, now)
    assert now <= confirmed_at <= asyncio.get_running_loop().time()


async def test_a_snapshot_does_not_change(fleet: Fleet, now: float) -> None:
    before = fleet[0].watch(KIND)
    fleet[0].put(KIND, "key", "value", now + 60)
    assert before.notices == {}
    assert fleet[0].watch(KIND).version != before.version


async def test_many_notices_come_whole(fleet: Fleet, now: float) -> None:
    for number in range(200):
        fleet[number % len(fleet)].put(KIND, f"key-{number}", str(number), now + 60)
    for sidecar in fleet:
        for number in range(200):
            await heard(sidecar, KIND, f"key-{number}", str(number))


async def test_of_too_many_those_that_end_first_are_dropped(fleet: Fleet, now: float) -> None:
    for number in range(1100):
        fleet[0].put(KIND, f"key-{number}", "", now + 60 + number)
    for sidecar in fleet:
        await heard(sidecar, KIND, "key-1099", "")
        assert len(sidecar.watch(KIND).notices) <= 1024
    assert "key-0" not in fleet[0].watch(KIND).notices


async def test_waiting_ends_with_the_next_notice_and_not_before(fleet: Fleet, now: float) -> None:
    seen = fleet[1].watch(KIND)
    waiting = asyncio.create_task(fleet[1].changed(KIND, seen))
    await asyncio.sleep(0)
    assert not waiting.done()
    fleet[0].put(KIND, "key", "value", now + 60)
    async with asyncio.timeout(10):
        assert (await waiting).value("key", now) == "value"


async def test_waiting_for_what_has_come_already_ends_at_once(fleet: Fleet, now: float) -> None:
    seen = fleet[0].watch(KIND)
    fleet[0].put(KIND, "key", "value", now + 60)
    assert (await fleet[0].changed(KIND, seen)).value("key", now) == "value"


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("Kind", "key", ""),
        ("", "key", ""),
        ("a:b", "key", ""),
        (KIND, "", ""),
        (KIND, "k" * 513, ""),
        (KIND, "key", "v" * 4097),
    ],
    ids=["upper", "empty-kind", "colon", "empty-key", "long-key", "long-value"],
)
async def test_what_is_no_notice_is_refused(
    fleet: Fleet, now: float, kind: str, key: str, value: str
) -> None:
    bulletin: Bulletin = fleet[0]
    with pytest.raises(ValueError, match="notice"):
        bulletin.put(kind, key, value, now + 60)
