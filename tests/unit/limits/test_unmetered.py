import pytest

from sidecar.core.errors import NoEndpoint
from sidecar.core.outcome import OK
from sidecar.limits.unmetered import Unmetered
from tests.support import facts

PERMIT = facts.permit(facts.gemini(project="a"), facts.gemini(project="b"))


async def test_a_hold_is_open_until_settled_once() -> None:
    limits = Unmetered()
    hold = await limits.hold(facts.call(), PERMIT)
    assert limits.open == 1
    hold.settle(None)
    hold.settle(None)
    assert limits.open == 0
    assert repr(limits) == "<Unmetered 0 open>"


async def test_a_grant_is_for_the_best_candidate() -> None:
    grant = await Unmetered().reserve(facts.call(), PERMIT.candidates)
    assert grant.candidate == PERMIT.candidates[0]


async def test_a_grant_is_open_until_settled_once() -> None:
    limits = Unmetered()
    first = await limits.reserve(facts.call(), PERMIT.candidates)
    second = await limits.reserve(facts.call(), PERMIT.candidates)
    assert limits.open == 2
    first.settle(OK, None)
    first.settle(OK, None)
    assert limits.open == 1
    second.settle(OK, None)
    assert limits.open == 0


async def test_a_grant_says_whether_it_was_sent() -> None:
    grant = await Unmetered().reserve(facts.call(), PERMIT.candidates)
    assert (grant.is_sent, repr(grant)) == (False, "<Grant at a, reserved>")
    grant.sent()
    assert (grant.is_sent, repr(grant)) == (True, "<Grant at a, sent>")


async def test_nobody_to_ask_is_an_error() -> None:
    limits = Unmetered()
    with pytest.raises(NoEndpoint):
        await limits.reserve(facts.call(), ())
    assert limits.open == 0
