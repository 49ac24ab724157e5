"""A log record for one line a call.

The standard record works out where in the code, in which thread and in which process it was made. None of
that is in our lines.
"""

import logging
from datetime import UTC, datetime
from typing import Any

_LINE = vars(logging.makeLogRecord({"name": "sidecar.call", "msg": "call ended"}))
"""What is the same in every record. Whoever formats one finds all attributes that the standard has."""


class CallRecord(logging.LogRecord):
    """The end of a call, with the fields that tell of it."""

    def __init__(self, level: int, fields: dict[str, Any]) -> None:
        created = datetime.now(UTC).timestamp()
        vars(self).update(_LINE)
        self.levelno = level
        self.levelname = logging.getLevelName(level)
        self.created = created
        self.msecs = created % 1 * 1000
        self.fields = fields
