"""The processes' own log on standard error: one line an event, JSON or for people to read.

No secret and no message text gets here: calls are logged by what they were, failures by their place. Values are
escaped, so that nobody can write a line of his own into it.
"""

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

import orjson

# structlog loads this for tracebacks where it finds it: six megabytes of every process for what we never print.
_absent = {name: sys.modules.setdefault(name, None) for name in ("rich", "better_exceptions")}  # type: ignore[arg-type]
import structlog  # noqa: E402

for _name in [name for name, module in _absent.items() if module is None]:
    del sys.modules[_name]

Event = MutableMapping[str, Any]

# A line fits what a pipe takes at once (PIPE_BUF), so that the lines of several processes do not mix.
_LONGEST_VALUE = 300
_FRAMES = 8
# An object is named by its type, never by what is in it.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_NON_STR_KEYS


def start(role: str, level: str = "info", form: str = "auto") -> None:
    """Begin to log as `role`; `level` is debug, info, warning or error, `form` is json, console or auto.

    auto is console on a terminal and JSON elsewhere. What libraries log through `logging` comes along, from
    warnings on. Before this is called, nothing is logged but warnings and errors.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    if form == "auto":
        form = "console" if sys.stderr.isatty() else "json"
    _configure(role, number, console=form == "console")
    root = logging.getLogger()
    root.handlers[:] = [_FromLogging()]
    root.setLevel(logging.WARNING)


def debug(event: str, **fields: Any) -> None:
    """Log what only somebody who looks for an error wants to see."""
    _log.debug(event, **fields)


def info(event: str, **fields: Any) -> None:
    """Log an ordinary event."""
    _log.info(event, **fields)


def warning(event: str, **fields: Any) -> None:
    """Log what an operator should look at some time."""
    _log.warning(event, **fields)


def error(event: str, **fields: Any) -> None:
    """Log what an operator should look at now."""
    _log.error(event, **fields)


def failure(event: str, problem: BaseException, **fields: Any) -> None:
    """Log an unexpected exception by its type and place; its text is left out, since it may hold a secret."""
    frames = traceback.extract_tb(problem.__traceback__)[-_FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    _log.error(event, exception=type(problem).__name__, at=places, **fields)


class _FromLogging(logging.Handler):
    """What libraries log. Their arguments are kept out: they may be anything."""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        getattr(_log, record.levelname.lower(), _log.error)(message, logger=record.name)


class _Stderr:
    """Writes each line at once, so that none is lost when the process is killed."""

    def msg(self, line: bytes) -> None:
        """Write a line. A reader who is gone is nothing to fail for."""
        with contextlib.suppress(OSError):
            os.write(2, line)

    debug = info = warning = error = critical = msg


def _configure(role: str, level: int, console: bool) -> None:
    global _log  # noqa: PLW0603 - the one log of the process
    _log = structlog.wrap_logger(
        _Stderr(),
        processors=[_head, _console if console else _json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
        cache_logger_on_first_use=True,
    ).bind(role=role, pid=os.getpid())


def _head(_: Any, level: str, event: Event) -> Event:
    return {"time": time(), "level": level, **event}


def _json(_: Any, __: str, event: Event) -> bytes:
    event["time"] = _moment(event["time"])
    return orjson.dumps(_short(event), default=_type_name, option=_OPTIONS | orjson.OPT_APPEND_NEWLINE)


def _console(_: Any, __: str, event: Event) -> bytes:
    fields = _short(event)
    moment, level, name = _moment(fields.pop("time")), fields.pop("level"), fields.pop("event")
    role, _pid = fields.pop("role"), fields.pop("pid")
    rest = " ".join(f"{key}={_readable(value)}" for key, value in fields.items() if value is not None)
    return f"{moment[11:23]} {level:<7} {role:<8} {_readable(name, '')} {rest}\n".encode()


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _short(event: Event) -> Event:
    for key, value in event.items():
        if type(value) is str and (len(value) > _LONGEST_VALUE or not value.isascii()):
            # Unicode has line ends of its own, and lone surrogates cannot be written.
            event[key] = "".join(c if c.isascii() or c.isprintable() else "\ufffd" for c in value[:_LONGEST_VALUE])
    return event


def _readable(value: Any, quoted: str = ' "=') -> str:
    text = orjson.dumps(value, default=_type_name, option=_OPTIONS).decode()
    bare = isinstance(value, str) and value.isprintable() and not any(mark in value for mark in quoted)
    return text[1:-1] if bare and "\\" not in text else text


def _type_name(value: Any) -> str:
    return type(value).__name__


_log: Any = None
_configure("trunkline", logging.WARNING, console=True)
