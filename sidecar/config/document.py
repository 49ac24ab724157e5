"""A strict reader of YAML: plain mappings, lists and scalars, and the line of each.

Built on the parser's events instead of its constructors, so nothing in a file can make an object, repeat
itself without bound or exhaust the stack. Refused with a precise fault: keys given twice, aliases, tags, a
second document, deep nesting, large files, bytes that are not UTF-8. Scalars are those of YAML 1.2's core
schema in decimal: `no` and `12:30` are text, because what they were in YAML 1.1 surprises everybody.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from sidecar.config.faults import Fault, dotted

TreePath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the root of a document."""

SIZE_MAX_BYTES = 1 << 20
_DEPTH_MAX = 16
_NOWHERE = ""  # in the path of what is read over, after its fault was noted
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same events, twenty times as fast
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "True": True, "false": False, "False": False}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. With `faults` it is what could be read of it."""

    source: str
    """The file's name, for the operator."""
    tree: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[TreePath, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    whole: bool = True
    """Whether `tree` holds all that the file says; a syntax error stops the reader."""

    def origin(self, path: TreePath) -> str:
        """`source:line` of the nearest ancestor of `path`, itself included, that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines.get(path)
        return f"{self.source}:{line}" if line else self.source


def read_document(content: bytes, source: str) -> Document:
    """Read one YAML document whose root is a mapping, or an empty one. Never raises."""
    if len(content) > SIZE_MAX_BYTES:
        return _unread(source, f"is larger than {SIZE_MAX_BYTES >> 20} MiB", "name a configuration file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _unread(source, f"is not UTF-8: byte {error.start + 1}", "save the file as UTF-8")
    composer = _Composer(source)
    try:
        tree = composer.compose(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}" if mark else source
        return _unread(source, f"is not YAML: {error.problem or error.context}", "mend the syntax", where)
    except yaml.YAMLError:
        return _unread(source, "is not YAML: it has control characters", "save the file as plain text")
    except _Unbounded as error:
        return _unread(source, str(error), "write a plain file", f"{source}:{error.line}")
    if not isinstance(tree, dict | None):
        return _unread(source, "is not a mapping of keys to values", "begin with a key, such as `limits:`")
    return Document(source, tree or {}, composer.lines, tuple(composer.faults))


def _unread(source: str, reason: str, remedy: str, where: str = "") -> Document:
    return Document(source, faults=(Fault(source, "", reason, remedy, where),), whole=False)


class _Unbounded(Exception):
    """The file is nested too deeply to be read further."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class _Composer:
    """Builds the tree from events, noting lines and faults."""

    def __init__(self, source: str) -> None:
        self.lines: dict[TreePath, int] = {}
        self.faults: list[Fault] = []
        self._source = source
        self._events: Iterator[yaml.Event] = iter(())

    def compose(self, events: Iterator[yaml.Event]) -> Any:
        """The first document's root."""
        self._events = events
        root: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse((), event, "a second document begins", "keep one document a file")
                    break
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, ())
        return root

    def _node(self, event: yaml.Event, path: TreePath) -> Any:
        if len(path) > _DEPTH_MAX:
            raise _Unbounded(f"is nested deeper than {_DEPTH_MAX} levels", _line(event))
        self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            self._refuse(path, event, f"the tag {event.tag} is not read", "write the plain value")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        return self._refuse(path, event, "aliases are not read", "write the value out")

    def _mapping(self, path: TreePath) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._node(event, (*path, _NOWHERE))  # read on to what follows it
                self._node(next(self._events), (*path, _NOWHERE))
                self._refuse(path, event, "a key is not plain text", "write the key as plain text")
                continue
            place = (*path, event.value)
            if event.value in tree:
                reason = f"is given twice, first in line {self.lines[place]}"
                self._refuse(place, event, reason, "keep one of the two")
                self._node(next(self._events), (*path, _NOWHERE))
            else:
                self.lines[place] = _line(event)
                tree[event.value] = self._node(next(self._events), place)
        return tree

    def _sequence(self, path: TreePath) -> list[Any]:
        return [
            self._node(event, (*path, index))
            for index, event in enumerate(self._until(yaml.SequenceEndEvent))
        ]

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _refuse(self, path: TreePath, event: yaml.Event, reason: str, remedy: str) -> None:
        where = f"{self._source}:{_line(event)}"
        self.faults.append(Fault(dotted(path) or self._source, "", reason, remedy, where))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _scalar(event: yaml.ScalarEvent) -> str | int | float | bool | None:
    text: str = event.value
    if not event.implicit[0]:  # quoted or a block: text whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
