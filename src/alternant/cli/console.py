"""The two consoles, and the library's log as plain lines.

Results go to standard output; everything else (what was read, progress, what was written) to standard error.
"""

import logging
import re
import sys
from collections.abc import Callable

from rich.console import Console

from alternant._words import counted

__all__ = ["LogHandler", "counted", "err", "note", "out", "printable"]

_NARROWEST = 24
"""Of what is laid out in columns: in less, no word of a table or a help page finds room."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave a reader that has gone (`| head`) to ``app.run``, where rich would end the process itself."""
        raise


def out(*, width: int | None = None) -> Console:
    """Return a console on the present standard output, as wide as the terminal or `width`."""
    made = _Console(highlight=False, markup=False, width=width)
    made.width = max(made.width, _NARROWEST)
    return made


def err() -> Console:
    """Return a console on the present standard error."""
    made = _Console(stderr=True, highlight=False, markup=False)
    made.width = max(made.width, _NARROWEST)
    return made


def printable(text: str) -> str:
    """Return text of a file so that it cannot give orders to a terminal: ESC [ 2 J would clear it."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def note(message: str) -> None:
    """Say something about the work, on standard error, unless ``--quiet``."""
    logging.getLogger("alternant.cli").info(message)


class LogHandler(logging.Handler):
    """Writes each record as one plain line on the present standard error (rich shows it above its bar).

    `in_our_words` turns what the library says into what is typed on the command line.
    """

    def __init__(self, in_our_words: Callable[[str], str]) -> None:
        super().__init__()
        self.in_our_words = in_our_words

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`; warnings say so."""
        prefix = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        sys.stderr.write(f"{prefix}{self.in_our_words(record.getMessage())}\n")
