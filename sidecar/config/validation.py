"""Validate a raw tree against a schema, turning every refusal into a Fault with a reason and a remedy.

The words for pydantic's own error types stand in one table; checks of ours bring theirs along
(`Unacceptable`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sidecar.config.document import TreePath
from sidecar.config.faults import Fault, Unacceptable, dotted, shown

Schema = TypeVar("Schema", bound=BaseModel)

_WORDS: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "add it"),
    "int_parsing": ("is not a whole number", "write a whole number"),
    "int_type": ("is not a whole number", "write a whole number"),
    "int_from_float": ("is not a whole number", "write a whole number"),
    "greater_than_equal": ("is out of range", "take a value of at least {ge}"),
    "less_than_equal": ("is out of range", "take a value of at most {le}"),
    "string_type": ("is not text", "write text; put a number in quotes"),
    "path_type": ("is not a path", "write the path of a file"),
    "enum": ("is not a known word", "take one of: {expected}"),
    "literal_error": ("is not a known word", "take one of: {expected}"),
    "list_type": ("is not a list", "write a list: [first, second]"),
    "tuple_type": ("is not a list", "write a list: [first, second]"),
    "too_long": ("has too many", "give at most {max_length}"),
    "bool_parsing": ("is neither true nor false", "write true or false"),
    "bool_type": ("is neither true nor false", "write true or false"),
    "too_short": ("is empty", "give at least one"),
    "dict_type": ("is not a mapping", "write keys and values below it"),
    "model_type": ("is not a mapping", "write keys and values below it"),
    "model_attributes_type": ("is not a mapping", "write keys and values below it"),
    "union_tag_not_found": ("is missing", "add it"),
    "union_tag_invalid": ("is not a known word", "take one of: {expected_tags}"),
}
_UNKNOWN_KEY = "extra_forbidden"
_MISSING = frozenset({"missing", "union_tag_not_found"})
_NEAR, _NEAR_AS_THE_BEST = 0.6, 0.05  # of SequenceMatcher's ratio: from 0, nothing alike, to 1
_KEY_MARK = "[key]"  # ends pydantic's location of a mapping's key


@dataclass(frozen=True, slots=True)
class Raw:
    """A tree as given, and who gave it."""

    tree: Mapping[str, Any]
    origin: Callable[[TreePath], str]
    """Who said the value at a path, as `Fault.source` has it."""
    hint: Callable[[TreePath], str]
    """What the operator may have meant by the unknown key at a path; empty when there is no guess."""

    def at(self, path: TreePath) -> Any:
        """The value at a path, None where there is none."""
        value: Any = self.tree
        for part in path:
            if isinstance(part, str) and isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(part, int) and isinstance(value, list) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def below(self, path: TreePath) -> Iterator[TreePath]:
        """The paths of all that stands right below one: nothing below a scalar."""
        value = self.at(path)
        if isinstance(value, Mapping | list):
            for part in value if isinstance(value, Mapping) else range(len(value)):
                yield (*path, part)

    def texts(self, paths: Iterable[TreePath]) -> Iterator[tuple[TreePath, str]]:
        """Those of the paths where a text stands, each with it."""
        for path in paths:
            value = self.at(path)
            if isinstance(value, str):
                yield path, value

    def fault(self, path: TreePath, reason: str, remedy: str) -> Fault:
        """A Fault about the value at a path."""
        value = self.at(path)
        return Fault(dotted(path), "" if value is None else shown(value), reason, remedy, self.origin(path))


def validate(schema: type[Schema], raw: Raw, context: Any = None) -> tuple[Schema | None, list[Fault]]:
    """The validated tree, or None and all that is wrong with it. `context` is for the schema's validators."""
    try:
        return schema.model_validate(raw.tree, context=context), []
    except ValidationError as error:
        return None, [_fault(details, raw) for details in error.errors(include_url=False)]


def near(name: str, known: Iterable[str]) -> str:
    """The known names closest to this one, as a question; empty when none is close."""
    scored = sorted(((SequenceMatcher(None, name, other).ratio(), other) for other in known), reverse=True)
    least = max(_NEAR, scored[0][0] - _NEAR_AS_THE_BEST) if scored else 0
    close = [other for score, other in scored[:3] if score >= least]
    return f"did you mean {' or '.join(close)}?" if close else ""


def _fault(details: ErrorDetails, raw: Raw) -> Fault:
    kind, context = details["type"], details.get("ctx", {})
    path = _path_in(raw, details["loc"], is_absent=kind in _MISSING)
    refusal = context.get("error")
    if isinstance(refusal, Unacceptable):
        fault = raw.fault((*path, *refusal.at), refusal.reason, refusal.remedy)
        if _blames_key(raw, details["loc"]):  # it ends the path; its value is not to blame
            return replace(fault, value="")
        return fault if refusal.value is None else replace(fault, value=refusal.value)
    if kind.startswith("union_tag"):
        path = (*path, str(context["discriminator"]).strip("'"))
    if kind in _MISSING:
        return Fault(dotted(path), "", *_WORDS["missing"], raw.origin(path))
    if kind == _UNKNOWN_KEY:
        remedy = raw.hint(path) or "remove it"
        return Fault(dotted(path), "", "is not a known key", remedy, raw.origin(path))
    reason, remedy = _WORDS.get(kind, (details["msg"], "mend the value"))
    return raw.fault(path, reason.format(**context), remedy.format(**context))


def _blames_key(raw: Raw, location: tuple[str | int, ...]) -> bool:
    """Whether pydantic refuses the key that a location leads to, and not the value."""
    if location[-1:] != (_KEY_MARK,):
        return False
    value = raw.at(location[:-1])
    return not (isinstance(value, Mapping) and _KEY_MARK in value)


def _path_in(raw: Raw, location: tuple[str | int, ...], is_absent: bool) -> TreePath:
    """Where pydantic's location is in the tree; it also names the chosen member of a union, no key. What is
    absent stands nowhere, but its place does.
    """
    if _blames_key(raw, location):
        location = location[:-1]
    path: TreePath = ()
    for index, part in enumerate(location):
        is_named = is_absent and index == len(location) - 1
        if is_named or (*path, part) in raw.below(path):
            path = (*path, part)
    return path
