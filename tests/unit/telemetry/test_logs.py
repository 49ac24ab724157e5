import io
import json
import logging
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from sidecar.telemetry import logs
from sidecar.telemetry.record import CallRecord
from tests.unit.telemetry.builders import outcome

own = logging.getLogger("sidecar.test")
library = logging.getLogger("grpc.aio")


class Terminal(io.BytesIO):
    def isatty(self):
        return True


class Stuck(io.BytesIO):
    """A stderr that nobody reads until `reader` is set."""

    def __init__(self):
        super().__init__()
        self.reader = threading.Event()
        self.asked = threading.Event()

    def write(self, data):
        self.asked.set()
        self.reader.wait(30)
        return super().write(data)


class Broken(io.BytesIO):
    """A stderr whose reader has gone."""

    def __init__(self):
        super().__init__()
        self.failed = threading.Event()
        self.mended = False

    def write(self, data):
        if not self.mended:
            self.failed.set()
            raise BrokenPipeError
        return super().write(data)


@contextmanager
def no_other_handlers():
    """As in production: pytest's own handlers raise on records that do not fit."""
    root = logging.getLogger()
    others, root.handlers = root.handlers, []
    yield
    root.handlers = others


@pytest.fixture
def setup():
    """`logs.setup`, with every pipeline closed at the end."""
    opened = []

    def open_pipeline(stream, log_format="json", level="info", **values):
        pipeline = logs.setup(log_format, level, stream, **values)
        opened.append(pipeline)
        return pipeline

    yield open_pipeline
    for pipeline in opened:
        assert pipeline.close()


def entries(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def messages(stream):
    return [entry["message"] for entry in entries(stream)]


def test_records_are_written_in_order_by_the_time_it_is_closed(setup):
    stream = io.BytesIO()
    pipeline = setup(stream)
    for number in range(1200):
        own.info("line %d", number)
    assert pipeline.close()
    assert messages(stream) == [f"line {number}" for number in range(1200)]
    assert pipeline.dropped == 0


def test_fields_and_exceptions_go_along(setup):
    stream = io.BytesIO()
    pipeline = setup(stream)
    try:
        raise KeyError("lost")
    except KeyError:
        own.exception("it broke", extra={"fields": {"request_id": "r1"}})
    pipeline.close()
    (entry,) = entries(stream)
    assert entry["severity"] == "ERROR"
    assert entry["request_id"] == "r1"
    assert entry["stack_trace"].endswith("KeyError: 'lost'\n")


@pytest.mark.parametrize(
    ("level", "taken"),
    [
        ("debug", ["own DEBUG", "own INFO", "own WARNING", "own ERROR", "library WARNING", "library ERROR"]),
        ("INFO", ["own INFO", "own WARNING", "own ERROR", "library WARNING", "library ERROR"]),
        ("warning", ["own WARNING", "own ERROR", "library WARNING", "library ERROR"]),
        ("error", ["own ERROR", "library ERROR"]),
    ],
)
def test_own_records_follow_the_level_and_libraries_are_heard_from_warning(setup, level, taken):
    stream = io.BytesIO()
    pipeline = setup(stream, level=level)
    for name, logger in (("own", own), ("library", library)):
        for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            logger.log(number, "%s %s", name, logging.getLevelName(number))
    pipeline.close()
    assert messages(stream) == taken


def test_an_unknown_level_is_refused_in_words():
    with pytest.raises(ValueError, match="log level 'loud' is not known: use debug, info, warning or error"):
        logs.setup("json", "loud", io.BytesIO())


@pytest.mark.parametrize(
    ("log_format", "stream", "is_json"),
    [
        ("auto", io.BytesIO, True),
        ("auto", Terminal, False),
        ("json", Terminal, True),
        ("human", io.BytesIO, False),
    ],
)
def test_auto_is_human_on_a_terminal_and_json_elsewhere(setup, log_format, stream, is_json):
    stream = stream()
    pipeline = setup(stream, log_format)
    own.warning("hello")
    pipeline.close()
    assert stream.getvalue().startswith(b"{") is is_json
    assert b"hello" in stream.getvalue()


def test_stderr_is_the_default(capsysbinary):
    pipeline = logs.setup("json", "info")
    own.info("hello")
    pipeline.close()
    assert json.loads(capsysbinary.readouterr().err)["message"] == "hello"


def test_the_end_of_a_call_is_written_in_its_order_among_other_records(setup):
    stream = io.BytesIO()
    pipeline = setup(stream)
    own.info("before")
    logging.getLogger("sidecar.call").handle(CallRecord(logging.WARNING, outcome()))
    own.info("after")
    assert pipeline.close()
    before, call, after = entries(stream)
    assert (before["message"], call["message"], after["message"]) == ("before", "call ended", "after")
    assert call["severity"] == "WARNING"
    assert call["request_id"] == outcome().arrival.request_id


def test_a_full_queue_drops_and_the_count_is_reported(setup):
    stream = Stuck()
    pipeline = setup(stream, capacity=10)
    own.info("first")
    assert stream.asked.wait(30)
    for number in range(25):
        own.info("line %d", number)
    assert pipeline.dropped == 15
    stream.reader.set()
    assert pipeline.close()
    *kept, report = entries(stream)
    assert [entry["message"] for entry in kept] == ["first", *(f"line {number}" for number in range(10))]
    assert (report["message"], report["severity"], report["dropped"]) == (
        "log records were dropped",
        "WARNING",
        15,
    )


def test_drops_are_reported_once(setup):
    stream = Stuck()
    pipeline = setup(stream, capacity=1)
    own.info("first")
    assert stream.asked.wait(30)
    own.info("kept")
    own.info("dropped")
    stream.reader.set()
    assert pipeline.close()
    assert [entry.get("dropped") for entry in entries(stream)].count(1) == 1
    assert pipeline.dropped == 1


def test_closing_does_not_wait_for_a_stderr_that_nobody_reads(setup):
    stream = Stuck()
    pipeline = setup(stream)
    own.info("first")
    assert stream.asked.wait(30)
    assert pipeline.close(timeout_s=0.01) is False
    stream.reader.set()


def test_a_broken_stderr_is_counted_and_writing_goes_on_when_it_is_mended(setup):
    stream = Broken()
    pipeline = setup(stream)
    own.info("lost")
    assert stream.failed.wait(30)
    stream.mended = True
    own.info("written")
    pipeline.close()
    assert pipeline.dropped == 1
    assert messages(stream) == ["written", "log records were dropped"]


def test_arguments_are_read_when_logged_and_not_when_written(setup):
    stream = Stuck()
    pipeline = setup(stream)
    models = ["a"]
    own.info("models: %s", models)
    models.append("b")
    stream.reader.set()
    pipeline.close()
    assert messages(stream) == ["models: ['a']"]


def test_arguments_that_do_not_fit_lose_no_record(setup):
    stream = io.BytesIO()
    with no_other_handlers():
        pipeline = setup(stream)
        own.info("port %d", "none")
        pipeline.close()
    assert messages(stream) == ["port %d (its arguments do not fit)"]


def test_a_message_of_any_length_is_cut(setup):
    stream = io.BytesIO()
    pipeline = setup(stream)
    own.info("x" * 1_000_000)
    pipeline.close()
    assert len(stream.getvalue()) < 9000


def test_closing_twice_is_closing_once_and_gives_logging_back(setup):
    root, before = logging.getLogger(), (logging.getLogger().level, logging.getLogger("sidecar").level)
    handlers = list(root.handlers)
    stream = io.BytesIO()
    pipeline = setup(stream, level="debug")
    assert pipeline.close()
    assert pipeline.close()
    assert (root.level, logging.getLogger("sidecar").level) == before
    assert root.handlers == handlers
    library.error("after the end")
    assert messages(stream) == []


def test_repr_tells_what_waits_and_what_was_dropped(setup):
    pipeline = setup(io.BytesIO())
    assert repr(pipeline) == "<LogPipeline open, 0 waiting, 0 dropped>"
    pipeline.close()
    assert repr(pipeline) == "<LogPipeline closed, 0 waiting, 0 dropped>"


def test_importing_it_configures_nothing_and_starts_nothing():
    probe = (
        "import logging, threading; import sidecar.telemetry.logs, sidecar.telemetry.observer; "
        "root = logging.getLogger(); "
        "print(root.handlers, root.level, logging.getLogger('sidecar').level, threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "[] 30 0 1\n"
    assert done.stderr == ""
