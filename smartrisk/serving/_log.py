"""The log of a service: one JSON object per line, without identities."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime

#: Loggers of this library and of the server below it.
_LOGGERS = ("smartrisk", "uvicorn.error")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON.

    What a record has as `fields` is written as it is. The message of an exception is
    left out, since it may repeat what a client sent: its type and its place stay.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        content = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": os.getpid(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            content["exception"] = type(record.exc_info[1]).__name__
            content["at"] = exception_place(record.exc_info[1])
        return json.dumps(content, default=str)


def exception_place(error: BaseException) -> str:
    """Return the file, line and function in which an exception was raised."""
    steps = traceback.extract_tb(error.__traceback__)
    if not steps:
        return ""
    last = steps[-1]
    return f"{os.path.basename(last.filename)}:{last.lineno} {last.name}"


def start_log(level: int = logging.INFO) -> None:
    """Write the log of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(level)
