"""Samples: values that satisfy their schema."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.emulator.samples import sample

_TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["name"],
        }
    },
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    ("schema", "seed", "expected"),
    [
        ({"type": "BOOLEAN"}, 0, True),
        ({"type": "NULL"}, 0, None),
        ({"const": 5}, 0, 5),
        ({"type": "STRING", "enum": ["a", "b"]}, 1, "b"),
        ({"type": ["null", "integer"]}, 7, 7),
        ({"type": "INTEGER", "minimum": 10}, 3, 10),
        ({"type": "integer", "exclusiveMinimum": 10}, 3, 11),
        ({"type": "integer", "maximum": 5}, 30, 5),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 9, 0.5),
        ({"type": "integer", "multipleOf": 10}, 3, 10),
        ({"type": "string", "format": "date"}, 0, "2026-11-22"),
        ({"type": "string", "maxLength": 3}, 0, "har"),
        ({"type": "string", "minLength": 10}, 0, "harbourooo"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 4, 4),
        ({"allOf": [{"type": "integer"}, {"minimum": 8}]}, 4, 8),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, 0, [0, 1, 2]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 1}, 0, [0]),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}]}, 0, [0, True]),
        ({"properties": {"b": {"type": "integer"}}, "required": ["a"]}, 1, {"b": 1, "a": "lantern"}),
        (True, 0, "harbour"),
    ],
)
def test_each_rule_of_a_schema_is_kept(schema, seed, expected):
    assert sample(schema, seed) == expected


def test_properties_come_in_the_order_that_was_asked_for():
    schema = {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}},
        "propertyOrdering": ["b", "a"],
    }
    assert list(sample(schema, 0)) == ["b", "a"]


def test_a_schema_that_contains_itself_comes_to_an_end():
    tree = sample(_TREE, 0)
    assert tree["children"][0]["children"][0]["name"]


@pytest.mark.parametrize(
    "schema", [{"enum": 5}, {"properties": 5}, {"$ref": "#/nowhere"}, {"minLength": {}}, 5]
)
def test_what_is_no_schema_is_told(schema):
    with pytest.raises(ValueError, match="not a valid schema"):
        sample(schema, 0)


def test_a_schema_that_asks_for_too_much_is_told():
    schema = {"type": "array", "minItems": 10**9, "items": {"type": "integer"}}
    with pytest.raises(ValueError, match="more than 10000 parts"):
        sample(schema, 0)


_NAMES = st.sampled_from(
    ["type", "items", "properties", "anyOf", "enum", "minItems", "$ref", "required", "format"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["array", "object", "#", "string"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
)


@given(_VALUES, st.integers(0, 99))
def test_any_json_as_a_schema_gives_a_value_or_a_value_error(schema: Any, seed: int):
    with contextlib.suppress(ValueError):
        assert sample(schema, seed) == sample(schema, seed)
