"""Logs as lines of JSON, each with the id of the request that it tells of.

What callers send is not logged: tokens and texts of customers stay out by never going in.
"""

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from infra.syslog import Syslog

CORRELATION: ContextVar[str | None] = ContextVar("correlation_id", default=None)
"""The id of the request being served. Set at the edge; tasks inherit it."""
ORIGIN: ContextVar[str | None] = ContextVar("origin", default=None)
"""The address that the request came from. Set at the edge; not logged, but kept by the trail."""

ENCODER = msgspec.json.Encoder()
PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else was given as `extra` and is told too."""
CHATTY = ("asyncio", "nats", "tortoise", "ray", "websockets")


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if correlation_id := CORRELATION.get():
            line["correlationId"] = correlation_id
        line.update((key, value) for key, value in vars(record).items() if is_extra(key))
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return encoded(line)


def is_extra(key: str) -> bool:
    return key not in PLAIN and not key.startswith("_")


def encoded(line: dict[str, object]) -> str:
    try:
        return ENCODER.encode(line).decode()
    except TypeError:
        return ENCODER.encode({key: str(value) for key, value in line.items()}).decode()


def setup_logs(level: str, stream: TextIO | None = None, syslog: str = "") -> None:
    """For a process of ours, once, before anything is logged. `level` and `syslog` as in Settings:
    where that names a receiver, all lines also go there."""
    handlers: list[logging.Handler] = [logging.StreamHandler(stream or sys.stderr)]
    if syslog:
        handlers.append(Syslog(syslog))
    for handler in handlers:
        handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(level.upper())
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
