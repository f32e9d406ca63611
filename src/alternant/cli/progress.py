"""Progress of a fit: a bar on a terminal or in a notebook, one plain log line per sweep elsewhere.

Usable from Python too, where the ``cli`` extra is installed::

    with follow(12) as callback:
        model = ExplicitALS(n_sweeps=12).fit(interactions, callback=callback)
"""

import importlib.util
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from alternant.cli import console
from alternant.training import HalfSweep

_log = logging.getLogger("alternant.cli")


@contextmanager
def follow(n_sweeps: int, *, to: Console | None = None) -> Iterator[Callable[[HalfSweep], None]]:
    """Yield a callback for ``fit`` that shows how far it is.

    Parameters
    ----------
    n_sweeps : int
        The number of sweeps that the fit may take.
    to : rich.console.Console or None
        Where; None: standard error.
    """
    shown_on = to or console.err()
    in_notebook = shown_on.is_jupyter and importlib.util.find_spec("ipywidgets") is not None
    if not in_notebook and (not shown_on.is_terminal or shown_on.is_dumb_terminal or shown_on.is_jupyter):
        yield _log_sweep
        return
    columns = (
        TextColumn("sweep {task.fields[sweep]}/{task.fields[n_sweeps]}"),
        BarColumn(),
        TextColumn("objective {task.fields[objective]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=shown_on, transient=True) as progress:
        task = progress.add_task("fit", total=2 * n_sweeps, sweep=0, n_sweeps=n_sweeps, objective="…")

        def advance(event: HalfSweep) -> None:
            done = 2 * event.sweep - (event.side == "users")
            progress.update(task, completed=done, sweep=event.sweep, objective=f"{event.objective:,.1f}")

        yield advance


def _log_sweep(event: HalfSweep) -> None:
    if event.side == "items":
        _log.info(sweep_line(event))


def sweep_line(event: HalfSweep) -> str:
    """Return one line about a whole sweep."""
    down = "" if math.isnan(event.decrease) else f" (down {event.decrease:.2%})"
    sweep = f"sweep {event.sweep}/{event.n_sweeps}"
    return f"{sweep}: objective {event.objective:,.4f}{down}, {event.seconds:.1f} s"
