"""Which node has which slot."""

import pytest

from sidecar.store.slots import SlotMap, redirection, slot_map, slot_of

ASKED = "redis-0:6379"
ANSWER = [
    [0, 5460, [b"10.0.0.1", 6379, b"id1", []], [b"10.0.0.9", 6379, b"id9", []]],
    [5461, 10922, [b"10.0.0.2", 6380, b"id2", []]],
    [12000, 16383, [b"fd00::3", 6381, b"id3", []]],
]


@pytest.mark.parametrize(
    ("slot", "owner"),
    [
        (0, "10.0.0.1:6379"),
        (5460, "10.0.0.1:6379"),
        (5461, "10.0.0.2:6380"),
        (10922, "10.0.0.2:6380"),
        (10923, None),
        (11999, None),
        (12000, "[fd00::3]:6381"),
        (16383, "[fd00::3]:6381"),
    ],
)
def test_a_slot_belongs_to_the_master_of_its_range(slot: int, owner: str | None) -> None:
    assert slot_map(ANSWER, ASKED).owner(slot) == owner


def test_replicas_are_no_masters() -> None:
    assert slot_map(ANSWER, ASKED).masters == {"10.0.0.1:6379", "10.0.0.2:6380", "[fd00::3]:6381"}


@pytest.mark.parametrize("host", [b"", b"?", None])
def test_a_node_that_does_not_know_its_host_has_the_one_that_was_asked(host: bytes | None) -> None:
    assert slot_map([[0, 16383, [host, 7000, b"id"]]], ASKED).owner(1) == "redis-0:7000"


def test_a_moved_slot_is_its_new_master_s_and_the_others_stay() -> None:
    slots = slot_map(ANSWER, ASKED)
    slots.correct(7, "10.0.0.4:1")
    assert (slots.owner(7), slots.owner(8)) == ("10.0.0.4:1", "10.0.0.1:6379")
    assert "10.0.0.4:1" in slots.masters


def test_an_empty_map_has_no_owner() -> None:
    assert SlotMap([]).owner(0) is None


def test_slots_are_those_of_the_specification() -> None:
    assert slot_of(["123456789"]) == 0x31C3 % 16384
    assert slot_of(["{user1000}.following", b"{user1000}.followers"]) == slot_of(["user1000"])
    assert slot_of([]) == 0


def test_keys_in_several_slots_are_refused() -> None:
    with pytest.raises(ValueError, match="hash tag"):
        slot_of(["a", "b"])


@pytest.mark.parametrize(
    ("host", "address"), [("10.0.0.5", "10.0.0.5:1"), ("", "redis-0:1"), ("fd00::5", "[fd00::5]:1")]
)
def test_a_redirection_names_a_node_that_can_be_dialled(host: str, address: str) -> None:
    assert redirection(host, 1, ASKED) == address
