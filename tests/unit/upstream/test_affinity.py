"""Which endpoint a long prefix lives at."""

from collections import Counter
from typing import Any

import pytest

from sidecar.core.call import Json
from sidecar.core.permit import Candidate
from sidecar.core.pooling import BreakerRules
from sidecar.upstream.affinity import LONG_CHARS, home, prefix_of
from sidecar.upstream.health import Health, Place
from sidecar.upstream.rank import Standing
from tests.support import facts

LONG = "x" * LONG_CHARS
PREFIXES = [f"prefix {number}".encode() for number in range(2000)]


def content(*texts: str, **values: Any) -> Json:
    return {"parts": [{"text": text} for text in texts], **values}


def peers(*names: str, busy: int = 0) -> list[Standing]:
    found = []
    for name in names:
        health = Health(name, facts.MODEL, Place(name), BreakerRules())
        health.in_flight = busy
        found.append(Standing(Candidate(facts.gemini(project=name), facts.MODEL), health))
    return found


def homes(among: list[Standing], weights: list[float] | None = None) -> dict[bytes, str]:
    found = {prefix: home(prefix, among, weights or [1.0] * len(among)) for prefix in PREFIXES}
    return {prefix: peer.health.project for prefix, peer in found.items() if peer is not None}


# ----------------------------------------------------------------------------------------- what a prefix is


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contents": []},
        {"contents": [content("short")]},
        {"systemInstruction": content("short"), "contents": [content("short")]},
        {"contents": [content("short"), content(LONG)]},
        {"contents": [{"parts": [{"functionCall": {"name": LONG}}]}]},
        {"contents": [{}]},
    ],
)
def test_a_short_beginning_is_no_prefix(body: Json) -> None:
    assert prefix_of("m", body) is None


def test_a_long_system_instruction_is_a_prefix_whatever_follows() -> None:
    one = prefix_of("m", {"systemInstruction": content(LONG), "contents": [content("one")]})
    two = prefix_of("m", {"systemInstruction": content(LONG), "contents": [content("two")]})
    assert one is not None
    assert one == two


def test_tools_are_part_of_the_prefix() -> None:
    tools = [{"functionDeclarations": [{"name": "f", "description": LONG}]}]
    one = prefix_of("m", {"tools": tools, "contents": [content("one")]})
    assert one is not None
    assert one == prefix_of("m", {"tools": tools, "contents": [content("two")]})
    assert one != prefix_of("m", {"tools": [{"googleSearch": {}}, *tools]})


def test_with_a_short_instruction_the_turns_of_a_conversation_share_a_prefix() -> None:
    begin = {"systemInstruction": content("be brief"), "contents": [content(LONG)]}
    later = {**begin, "contents": [content(LONG), content("and?", role="user")]}
    assert prefix_of("m", begin) == prefix_of("m", later) is not None
    assert prefix_of("m", begin) != prefix_of("m", {"contents": [content("y" * LONG_CHARS)]})


def test_inline_data_counts() -> None:
    image = {
        "parts": [{"inlineData": {"mimeType": "image/png", "data": "A" * LONG_CHARS}}, {"text": "what?"}]
    }
    assert prefix_of("m", {"contents": [image]}) is not None


def test_models_have_prefixes_of_their_own() -> None:
    body = {"systemInstruction": content(LONG)}
    assert prefix_of("m", body) != prefix_of("n", body)


# ------------------------------------------------------------------------------------------ where it lives


def test_a_prefix_always_lives_at_the_same_peer_in_whatever_order_they_come() -> None:
    assert homes(peers("a", "b", "c")) == homes(peers("c", "a", "b"))


def test_prefixes_are_spread_by_weight() -> None:
    counts = Counter(homes(peers("a", "b", "c"), [1.0, 1.0, 2.0]).values())
    assert counts["c"] / len(PREFIXES) == pytest.approx(0.5, abs=0.04)
    assert counts["a"] / len(PREFIXES) == pytest.approx(0.25, abs=0.04)


def test_when_a_peer_leaves_only_its_prefixes_move() -> None:
    before, after = homes(peers("a", "b", "c")), homes(peers("a", "c"))
    assert all(after[prefix] == name for prefix, name in before.items() if name != "b")


def test_a_busy_home_passes_on_to_the_next_in_the_prefix_s_own_order() -> None:
    among = peers("a", "b", "c", busy=10)
    before = homes(among)
    among[1].health.in_flight = 40
    after, without = homes(among), homes(peers("a", "c"))
    assert "b" not in after.values()
    assert all(after[prefix] == without[prefix] for prefix in PREFIXES)
    assert all(after[prefix] == name for prefix, name in before.items() if name != "b")


def test_a_quiet_pool_does_not_scatter_its_prefixes() -> None:
    among = peers("a", "b", "c")
    before = homes(among)
    among[0].health.in_flight = 3
    assert homes(among) == before


def test_who_has_no_quota_left_is_no_home() -> None:
    a, b = peers("a", "b")
    assert set(homes([a._replace(headroom=0.0), b]).values()) == {"b"}
    assert homes([a._replace(headroom=0.0), b._replace(headroom=0.0)]) == {}
