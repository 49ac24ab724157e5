"""Which key is shown next, on a clock that the test moves."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.secret import Secret
from sidecar.upstream.key_ring import REST_S, KeyRing

A, B, C = Secret("a"), Secret("b"), Secret("c")


def taken(ring: KeyRing, now: float, count: int) -> list[Secret]:
    return [ring.take(now) for _ in range(count)]


def test_keys_are_taken_in_turn() -> None:
    assert taken(KeyRing([A, B, C]), 0, 7) == [A, B, C, A, B, C, A]


def test_a_refused_key_is_left_out_and_comes_back_after_its_rest() -> None:
    ring = KeyRing([A, B, C])
    ring.refuse(B, 10)
    assert taken(ring, 10 + REST_S - 0.001, 4) == [A, C, A, C]
    assert taken(ring, 10 + REST_S, 3) == [A, B, C]


def test_a_key_that_is_refused_again_rests_again() -> None:
    ring = KeyRing([A, B])
    ring.refuse(A, 0)
    ring.refuse(A, REST_S)
    assert taken(ring, REST_S + 1, 3) == [B, B, B]


def test_when_all_are_refused_the_one_refused_longest_ago_is_tried() -> None:
    ring = KeyRing([A, B, C])
    for now, key in enumerate((B, C, A)):
        ring.refuse(key, now)
    assert taken(ring, 10, 2) == [B, B]
    ring.refuse(B, 11)
    assert taken(ring, 12, 2) == [C, C]


def test_a_refusal_is_news_once_in_a_rest() -> None:
    ring = KeyRing([A])
    assert [ring.refuse(A, now) for now in (0, 1, 1 + REST_S)] == [True, False, True]


def test_it_is_known_whether_another_key_may_do() -> None:
    ring = KeyRing([A, B])
    assert ring.has_other(A, 0)
    ring.refuse(B, 0)
    assert not ring.has_other(A, 1)
    assert ring.has_other(A, REST_S)
    assert not KeyRing([A]).has_other(A, 0)


def test_a_ring_shows_no_key() -> None:
    ring = KeyRing([Secret("hidden-key")])
    ring.refuse(Secret("hidden-key"), 0)
    assert repr(ring) == "<KeyRing of 1 keys, 1 refused>"


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.floats(0, 100)), max_size=20))
def test_a_key_that_rests_is_taken_only_when_all_do(refusals: list[tuple[Secret, float]]) -> None:
    ring, now, refused_at = KeyRing([A, B, C]), 0.0, dict[Secret, float]()
    for key, passed_s in refusals:
        now += passed_s
        shown = ring.take(now)
        resting = {key for key, at in refused_at.items() if now < at + REST_S}
        assert shown not in resting or resting == {A, B, C}
        ring.refuse(key, now)
        refused_at[key] = now
