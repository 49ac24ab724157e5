import json
import logging
import re
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.telemetry.logformat import human_line, json_line

HUMAN = re.compile(r"\d\d:\d\d:\d\d\.\d{3} (?P<rest>.*)\n")


@dataclass
class Holder:
    """Stands for any object that a careless caller might log."""

    secret: str = "hush"


def record(message="served", name="sidecar.app", level=logging.INFO, exc_info=None, **fields):
    made = logging.LogRecord(name, level, __file__, 1, message, None, exc_info)
    made.created, made.msecs = 1_700_000_000.0425, 42.5
    made.fields = fields
    return made


def human(made):
    """The human line without its local time."""
    return HUMAN.fullmatch(human_line(made).decode())["rest"]


def error_from(message):
    try:
        raise ValueError(message)
    except ValueError:
        return sys.exc_info()


def test_json_has_time_severity_message_and_logger_before_the_fields():
    assert json_line(record(port=9464, tls=False)) == (
        b'{"time":"2023-11-14T22:13:20.042Z","severity":"INFO","message":"served","logger":"sidecar.app",'
        b'"port":9464,"tls":false}\n'
    )


def test_fields_cannot_replace_time_severity_message_or_logger():
    made = record()
    made.fields = {"time": "never", "severity": "DEBUG", "message": "forged", "logger": "forged"}
    assert json_line(made) == json_line(record())


def test_a_record_without_fields_is_a_record():
    made = record()
    del made.fields
    assert json_line(made) == json_line(record())
    assert human(made) == "INFO    app      served"


def test_a_traceback_is_one_json_string_and_barred_human_lines():
    made = record("it broke", level=logging.ERROR, exc_info=error_from("first\n12:00:00.000 INFO  forged"))
    stack = json.loads(json_line(made))["stack_trace"]
    assert stack.startswith("Traceback (most recent call last)")
    first, *bars = human_line(made).decode().splitlines()
    assert first.endswith("ERROR   app      it broke")
    assert bars[0] == "  | Traceback (most recent call last):"
    assert bars[-1] == "  | 12:00:00.000 INFO  forged"
    assert all(bar.startswith("  | ") for bar in bars)


def test_an_endless_traceback_keeps_its_end():
    stack = json.loads(json_line(record(exc_info=error_from("x" * 50_000 + "end"))))["stack_trace"]
    assert len(stack) < 20_000
    assert stack.endswith("xend\n")


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"model": "gemini-2.5-pro", "ms": 1.5, "ok": True}, "model=gemini-2.5-pro ms=1.5 ok=True"),
        ({"error": "no such model"}, 'error="no such model"'),
        ({"error": 'say "x"\\'}, r'error="say \"x\"\\"'),
        ({"error": "a=b"}, 'error="a=b"'),
        ({"tokens": {"prompt": 1, "total": 2}}, "tokens={prompt=1 total=2}"),
        ({"attempts": [{"project": "a"}, {"project": "b"}]}, "attempts=[{project=a} {project=b}]"),
        ({"none": None, "empty": "", "list": [], "dict": {}, "zero": 0}, "zero=0"),
        ({"list": [None, ""]}, 'list=[None ""]'),
        ({"holder": Holder()}, "holder=<Holder>"),
    ],
)
def test_human_fields_read_as_key_and_value(fields, shown):
    assert human(record(**fields)) == f"INFO    app      served {shown}"


def test_library_loggers_are_shown_whole():
    assert human(record(name="aiohttp.server", level=logging.WARNING)) == "WARNING aiohttp.server served"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\nb", r"a\nb"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[2Jb", r"\x1b[2Jb"),
        ("a\x85b", r"a\x85b"),
        ("a\u2028b", r"a\u2028b"),
        ("a\u202eb", r"a\u202eb"),
        ("a\ud800b", r"a\ud800b"),
        ("a\x00b", r"a\x00b"),
    ],
)
def test_nothing_in_message_or_field_can_begin_a_line_or_drive_the_terminal(text, escaped):
    assert human(record(text)) == f"INFO    app      {escaped}"
    assert human(record(key=text)) == f'INFO    app      served key="{escaped}"'
    assert human(record(**{text: 1})) == f"INFO    app      served {escaped}=1"
    assert json_line(record(text, key=text)).count(b"\n") == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\ud800b", r"a\ud800b"),
        (2**70, hex(2**70)),
        (float("nan"), None),
        ({1: "x"}, {"<int>": "x"}),
        ((1, 2**64), [1, hex(2**64)]),
        (Holder(), "<Holder>"),
        ([Holder()], ["<Holder>"]),
        (b"bytes", "<bytes>"),
        (object(), "<object>"),
    ],
)
def test_json_stays_json_whatever_a_field_holds(value, shown):
    assert json.loads(json_line(record(field=value)))["field"] == shown


def test_a_value_that_holds_itself_is_cut_off():
    loop = []
    loop.append(loop)
    assert b"<list>" in json_line(record(loop=loop))
    assert b"<list>" in human_line(record(loop=loop))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=12,
)


@given(message=st.text(), name=st.text(), fields=st.dictionaries(st.text() | st.integers(), anything))
def test_any_record_is_one_json_object_and_one_human_line(message, name, fields):
    made = record(message, name)
    made.fields = fields
    line = json_line(made)
    assert line.count(b"\n") == 1
    assert isinstance(json.loads(line), dict)
    assert len(human_line(made).decode().splitlines()) == 1
