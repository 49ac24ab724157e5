"""A memory of what was used last."""

from sidecar.core.recent import Recent


def test_what_was_used_longest_ago_makes_room() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert dict(recent) == {"a": 1, "c": 3}
    assert recent.get("b") is None


def test_what_is_put_again_is_the_newest() -> None:
    recent: Recent[str, int] = Recent(2)
    for key in ("a", "b", "a", "c"):
        recent.put(key, len(recent))
    assert [key for key, _ in recent] == ["a", "c"]


def test_what_is_missing_is_made_once() -> None:
    recent: Recent[str, list[int]] = Recent(2)
    recent.at("a", list).append(1)
    recent.at("a", list).append(2)
    assert recent.get("a") == [1, 2]
