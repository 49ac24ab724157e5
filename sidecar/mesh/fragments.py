"""Fragments of Envoy's configuration, and how they become a whole.

A fragment is a YAML file of the folder `envoy/`: Envoy's own words, and four of ours.

    $name               a text that begins so is the parameter of that name, of whatever type
    $include: name      the mapping of another fragment, under the own keys of this one
    $if: name           the mapping is left out when the parameter is None
    an absent value     of None, or left out, takes its key or its place in a list along

A list among the items of a list gives its items: Envoy has no lists of lists. No text is put into another, so
no value can break out of its place.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Fragments: TypeAlias = Callable[[str], Mapping[str, Any]]
"""Gives a fragment by its name."""

_INCLUDE, _IF = "$include", "$if"


@cache
def packed(name: str) -> Mapping[str, Any]:
    """A fragment of the product: of the wheel, or of the source tree that this module stands in."""
    folder = resources.files("sidecar") / "_envoy"
    if not folder.is_dir():
        folder = Path(__file__).parents[2] / "envoy"
    tree: Mapping[str, Any] = yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8"))
    return tree


def fill(tree: Any, parameters: Mapping[str, Any], fragments: Fragments) -> Any:
    """The tree without a word of ours in it; None when it is left out. Raises KeyError for a parameter that
    nobody gives: a fault of the fragments.
    """
    if isinstance(tree, str):
        return parameters[tree[1:]] if tree.startswith("$") else tree
    if isinstance(tree, list):
        return _filled_list(tree, parameters, fragments)
    if isinstance(tree, Mapping):
        return _filled_mapping(tree, parameters, fragments)
    return tree


def _filled_list(items: list[Any], parameters: Mapping[str, Any], fragments: Fragments) -> list[Any]:
    made: list[Any] = []
    for item in items:
        filled = fill(item, parameters, fragments)
        if isinstance(filled, list):
            made += filled
        elif filled is not None:
            made.append(filled)
    return made


def _filled_mapping(
    tree: Mapping[str, Any], parameters: Mapping[str, Any], fragments: Fragments
) -> dict[str, Any] | None:
    if _IF in tree and parameters[tree[_IF]] is None:
        return None
    made: dict[str, Any] = {}
    if _INCLUDE in tree:
        included = fill(fragments(tree[_INCLUDE]), parameters, fragments)
        if included is None:
            return None
        made = included
    for key, value in tree.items():
        if key not in (_IF, _INCLUDE) and (filled := fill(value, parameters, fragments)) is not None:
            made[key] = filled
    return made
