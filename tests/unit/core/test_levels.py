import pytest

from sidecar.core.levels import GroupKind, GroupState, LimitsMode, worst


def state(name: str = "quota/main/flash", **values: object) -> GroupState:
    return GroupState(name, LimitsMode.NORMAL, ())._replace(**values)


@pytest.mark.parametrize(
    ("name", "kind", "family"),
    [
        ("quota/main/gemini-3.8-flash", GroupKind.QUOTA, "quota/main/gemini-3.8-flash"),
        ("quota/main/publishers/x/models/y/flex", GroupKind.QUOTA, "quota/main/publishers/x/models/y/flex"),
        ("budget/checkout", GroupKind.BUDGET, "budget/checkout"),
        ("budget/checkout/spiffe://corp/ns/a/sa/b", GroupKind.BUDGET, "budget/checkout"),
        ("budget/checkout/", GroupKind.BUDGET, "budget/checkout"),
    ],
)
def test_the_family_of_a_group_names_no_caller(name: str, kind: GroupKind, family: str) -> None:
    assert (state(name).kind, state(name).family) == (kind, family)


def test_time_that_passes_is_no_change_but_the_end_of_a_block_is() -> None:
    before = state(blocked_ms=900.0, age_ms=10.0)
    assert before.lasting == state(blocked_ms=100.0, age_ms=810.0).lasting
    assert before.lasting != state(blocked_ms=0.0, age_ms=910.0).lasting
    assert before.lasting != before._replace(waiting=1).lasting


def test_what_refuses_everything_is_worse_than_what_lets_everything_go() -> None:
    assert worst([LimitsMode.NORMAL, LimitsMode.CLOSED, LimitsMode.OPEN]) is LimitsMode.CLOSED
    assert worst([]) is LimitsMode.UNUSED
