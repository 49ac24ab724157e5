"""What the upstream refused and the ledger has not heard yet."""

from sidecar.limits.message import Penalty
from sidecar.limits.refusals import Refusals


def test_the_worst_of_each_limit_is_kept() -> None:
    refusals = Refusals()
    for penalty in (Penalty(0, 900, 50, -1), Penalty(0, 1000, 10, 7), Penalty(-1, 1000, 5, -1)):
        refusals.add(penalty)
    assert refusals.all() == [Penalty(0, 900, 50, 7), Penalty(-1, 1000, 5, -1)]
    assert len(refusals) == 2


def test_what_was_told_is_forgotten_but_not_what_got_worse_meanwhile() -> None:
    refusals = Refusals()
    refusals.add(Penalty(0, 900, 0, -1))
    refusals.add(Penalty(1, 900, 0, -1))
    told = refusals.all()
    refusals.add(Penalty(1, 800, 0, -1))
    refusals.told(told)
    assert refusals.all() == [Penalty(1, 800, 0, -1)]


def test_it_says_its_state_in_words() -> None:
    refusals = Refusals()
    refusals.add(Penalty(0, 900, 0, -1))
    assert repr(refusals) == "<Refusals [Penalty(limit=0, permille=900, pause_ms=0, value=-1)]>"
