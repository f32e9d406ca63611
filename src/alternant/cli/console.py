"""The two consoles, and the library's log as plain lines.

Results go to standard output; everything else (what was read, progress, what was written) to standard error.
"""

import logging
import sys

from rich.console import Console


def out(*, width: int | None = None) -> Console:
    """Return a console on the present standard output, as wide as the terminal or `width`."""
    return Console(highlight=False, markup=False, width=width)


def err() -> Console:
    """Return a console on the present standard error."""
    return Console(stderr=True, highlight=False, markup=False)


def note(message: str) -> None:
    """Say something about the work, on standard error, unless ``--quiet``."""
    logging.getLogger("alternant.cli").info(message)


class LogHandler(logging.Handler):
    """Writes each record as one plain line on the present standard error (rich shows it above its bar)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`; warnings say so."""
        prefix = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        sys.stderr.write(f"{prefix}{record.getMessage()}\n")
