"""The command line: ``alternant fit``, ``recommend`` and the others. The only package that prints.

Each command lives in the module of its name. ``main`` looks for the optional packages before anything imports
them, so that a plain install answers with the install line.
"""

import sys
from collections.abc import Sequence

from alternant._optional import require
from alternant.errors import MissingExtraError

INTERRUPTED = 130
"""The exit status after Ctrl-C: 128 + SIGINT, as shells say it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 done, 1 error, 2 wrong usage, 130 interrupted.

    Parameters
    ----------
    arguments : sequence of str or None
        What follows the program's name; None: of this process.

    Examples
    --------
    >>> from alternant.cli import main
    >>> main(["--version"])
    0.1.0
    0
    """
    try:
        for module in ("cyclopts", "rich", "duckdb"):
            require(module, extra="cli", purpose="the command line")
        from alternant.cli.app import run

        return run(sys.argv[1:] if arguments is None else list(arguments))
    except MissingExtraError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:  # while all that is imported
        sys.stderr.write("error: interrupted\n")
        return INTERRUPTED
