"""The four words by which fragments become a whole."""

from collections.abc import Mapping
from typing import Any

import pytest

from sidecar.mesh.fragments import fill, packed

SHARED: Mapping[str, Mapping[str, Any]] = {
    "wheel": {"spokes": "$spokes", "hub": {"of": "steel"}},
    "bell": {"$if": "bell", "sound": "$bell"},
    "loud": {"$include": "bell", "loud": True},
}


def filled(tree: Any, **parameters: Any) -> Any:
    return fill(tree, parameters, SHARED.__getitem__)


@pytest.mark.parametrize("value", [7, "text", {"a": 1}, False, ["x"], 0, ""])
def test_a_parameter_has_the_type_of_its_value(value: object) -> None:
    assert filled({"a": "$p"}, p=value) == {"a": value}


def test_a_parameter_is_never_read_as_a_word_of_ours() -> None:
    assert filled({"a": "$p"}, p="$q", q="other") == {"a": "$q"}


def test_what_is_none_takes_its_key_or_its_place_along() -> None:
    assert filled({"a": "$p", "b": 1, "c": ["$p", 2]}, p=None) == {"b": 1, "c": [2]}


def test_own_keys_win_over_included_ones() -> None:
    assert filled({"$include": "wheel", "hub": "wood"}, spokes=3) == {"spokes": 3, "hub": "wood"}


def test_what_is_under_a_condition_is_left_out_without_it() -> None:
    assert filled({"all": [{"$include": "bell"}], "one": {"$include": "bell"}}, bell=None) == {"all": []}
    assert filled({"$include": "bell"}, bell="ding") == {"sound": "ding"}


def test_who_includes_what_is_left_out_is_left_out() -> None:
    assert filled([{"$include": "loud"}, 1], bell=None) == [1]
    assert filled([{"$include": "loud"}], bell="ding") == [{"sound": "ding", "loud": True}]


def test_a_list_among_items_gives_its_items() -> None:
    assert filled([1, "$more", 4], more=[2, 3]) == [1, 2, 3, 4]


def test_a_parameter_that_nobody_gives_is_a_fault() -> None:
    with pytest.raises(KeyError, match="spokes"):
        filled({"$include": "wheel"})


def test_the_fragments_are_there() -> None:
    assert "static_resources" in packed("bootstrap")
