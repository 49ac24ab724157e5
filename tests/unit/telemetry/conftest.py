import logging
from collections.abc import Callable, Iterator

import pytest

from sidecar.telemetry.instruments import Instruments
from sidecar.telemetry.logformat import json_line
from sidecar.telemetry.observer import CallObserver
from tests.unit.telemetry.builders import STATUS_NAMES, Figures


@pytest.fixture
def instruments() -> Instruments:
    return Instruments("1.2.3", STATUS_NAMES, lambda: 0)


@pytest.fixture
def figures(instruments: Instruments) -> Figures:
    return Figures(instruments)


@pytest.fixture
def observer(instruments: Instruments) -> CallObserver:
    return CallObserver(instruments)


class _Capture(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """Every record of the `sidecar` loggers from INFO up."""
    logger, capture = logging.getLogger("sidecar"), _Capture()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(capture)
    yield capture.records
    logger.removeHandler(capture)
    logger.setLevel(level)


@pytest.fixture
def lines(records: list[logging.LogRecord]) -> Callable[[], list[str]]:
    """The same records as JSON lines."""
    return lambda: [json_line(record).decode() for record in records]
