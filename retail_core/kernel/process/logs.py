"""Logs of every process: one JSON object a line, or text for people.

Each composition root calls `configure` once, with the logger of loguru, which the core does not
import. What other libraries log through the standard library comes out of the same place.
Nothing is written before it went through `redaction`, tracebacks included, and tracebacks never
show the values of variables.
"""

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC
from functools import partial
from types import TracebackType
from typing import Any, Final, TextIO, TypeAlias

from retail_core.kernel.process.redaction import redacted, redacted_lines, redacted_value
from retail_core.kernel.settings import AppSettings, LogFormat, SettingsError

Logger: TypeAlias = Any
"""`loguru.logger`."""
Record: TypeAlias = Mapping[str, Any]
"""A `loguru.Record`."""

# libraries whose information is noise: httpx prints each call with its full address
QUIET: Final = ("httpx", "httpcore", "urllib3", "asyncio", "faker", "docker")

# for `logconfig_dict` of gunicorn, which replaces the handlers of the standard library
GUNICORN_LOGGING: Final[dict[str, object]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "NOTSET", "handlers": ["loguru"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["loguru"], "propagate": False},
        "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
    "handlers": {"loguru": {"()": "retail_core.kernel.process.logs.configured_handler"}},
    "formatters": {},
}

_configured: Final[list[Logger]] = []

LONG_IDS: Final = frozenset({"requestId", "jobKey"})

_COLOURS: Final = {
    "TRACE": "90",
    "DEBUG": "90",
    "INFO": "36",
    "SUCCESS": "32",
    "WARNING": "33",
    "ERROR": "31",
    "CRITICAL": "1;31",
}
# a line break inside a text must not look like a line of its own, nor an escape colour the terminal
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in [*range(0x20), *range(0x7F, 0xA0)]} | {
    ord("\t"): "\t",
    ord("\n"): "\n    ",
}


class StandardLibraryHandler(logging.Handler):
    """Hands what gunicorn, rq, SQLAlchemy and others log over to loguru."""

    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        level: str | int = record.levelname
        try:
            self._logger.level(record.levelname)
        except ValueError:
            level = record.levelno
        name = record.name

        def rename(line: dict[str, Any]) -> None:
            line["name"] = name

        there = self._logger.opt(exception=record.exc_info).patch(rename)
        there.log(level, "{}", record.getMessage())


def configured_handler() -> logging.Handler:
    """One over the logger that `configure` was given, for gunicorn, which makes its own by name."""
    return StandardLibraryHandler(_configured[-1])


def configure(
    logger: Logger, settings: AppSettings, process: str, stream: TextIO | None = None
) -> None:
    """Set up the logs of this process; `process` is its name in every line.

    Writes to the standard error (or `stream`), so that what a command prints stays clean.
    """
    out = sys.stderr if stream is None else stream
    colour = settings.log_format is LogFormat.TEXT and _has_colours(out)

    def write(message: Any) -> None:  # noqa: ANN401 - a `loguru.Message`
        if settings.log_format is LogFormat.JSON:
            line = json_line(message.record)
        else:
            line = text_line(message.record, colour=colour)
        out.write(line + "\n")
        out.flush()

    level = settings.log_level.value.upper()
    logger.remove()
    logger.configure(extra={"process": process})
    logger.add(write, level=level, format="{message}", backtrace=False, diagnose=False)
    _intercept_standard_library(logger, level)
    sys.excepthook = partial(_log_uncaught, logger)
    threading.excepthook = partial(_log_uncaught_in_thread, logger)


def json_line(record: Record) -> str:
    """A record as one JSON object without line breaks."""
    extra = {str(name): value for name, value in record["extra"].items()}
    line: dict[str, object] = {
        "time": f"{record['time'].astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        "level": record["level"].name.lower(),
        "process": extra.pop("process", ""),
        "pid": record["process"].id,
        "logger": record["name"],
        "message": redacted(record["message"]),
    }
    line |= {name: redacted_value(value, name) for name, value in extra.items() if name not in line}
    failure = _traceback_of(record)
    if failure:
        line["exception"] = failure
    return json.dumps(line, ensure_ascii=False, default=str)


def text_line(record: Record, *, colour: bool = False) -> str:
    """A record for people: time, level, message, and what is bound to it but not said by it."""
    bound = " ".join(
        f"{name}={redacted_value(value, name)}" for name, value in _unsaid(record).items()
    )
    level = record["level"].name
    parts = [f"{record['time']:%H:%M:%S}", f"{level:<8}", redacted(record["message"])]
    if colour:
        paint = _COLOURS.get(level, "0")
        parts[0] = f"\x1b[90m{parts[0]}\x1b[0m"
        parts[1] = f"\x1b[{paint}m{parts[1]}\x1b[0m"
    parts[2] = parts[2].translate(_CONTROLS)
    if bound:
        bound = bound.translate(_CONTROLS)
        parts.append(f"\x1b[90m{bound}\x1b[0m" if colour else bound)
    failure = _traceback_of(record).translate(_CONTROLS)
    return " ".join(parts) + (f"\n    {failure}" if failure else "")


def _unsaid(record: Record) -> dict[str, object]:
    """What is bound, without what the message or another name says already; long ids last."""
    said = {"None", *record["message"].split()}
    unsaid: dict[str, object] = {}
    bound = {str(name): value for name, value in record["extra"].items() if name != "process"}
    for name in sorted(bound, key=LONG_IDS.__contains__):
        if str(bound[name]) not in said:
            unsaid[name] = bound[name]
            said.add(str(bound[name]))
    return unsaid


def _traceback_of(record: Record) -> str:
    failure = record["exception"]
    if failure is None or failure.type is None:
        return ""
    lines = traceback.format_exception(failure.type, failure.value, failure.traceback)
    return redacted_lines(lines)


def _intercept_standard_library(logger: Logger, level: str) -> None:
    _configured[:] = [logger]
    # loguru knows a level more than the standard library
    logging.basicConfig(
        handlers=[StandardLibraryHandler(logger)],
        level="DEBUG" if level == "TRACE" else level,
        force=True,
    )
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _has_colours(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def _log_uncaught(
    logger: Logger, kind: type[BaseException], value: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, value, trace)
        return
    if isinstance(value, SettingsError):
        # the operator's to mend, and where in the code we noticed does not help
        logger.critical("{}", value)  # noqa: PLE1205 - as loguru has it
        return
    logger.opt(exception=(kind, value, trace)).critical("the process ended by an unexpected error")


def _log_uncaught_in_thread(logger: Logger, failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is None or issubclass(failure.exc_type, SystemExit):
        return
    caught = (failure.exc_type, failure.exc_value, failure.exc_traceback)
    logger.opt(exception=caught).critical("a thread ended by an unexpected error")
