"""Progress of a fit: a bar on a terminal or in a notebook; elsewhere the library logs one line per sweep.

Usable from Python too, where the ``cli`` extra is installed::

    with follow(12) as callback:
        model = ExplicitALS(n_sweeps=12).fit(interactions, callback=callback)
"""

import importlib.util
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from alternant.cli import console
from alternant.training import HalfSweep


@contextmanager
def follow(n_sweeps: int, *, to: Console | None = None) -> Iterator[Callable[[HalfSweep], None]]:
    """Yield a callback for ``fit`` that shows how far it is.

    Where a bar is shown, the log lines about sweeps are held back. Where none can be (a file, a pipe, a
    notebook without ipywidgets) or should be (``--quiet``) the callback does nothing, and those lines tell
    the same.

    Parameters
    ----------
    n_sweeps : int
        The number of sweeps that the fit may take.
    to : rich.console.Console or None
        Where; None: standard error.
    """
    shown_on = to or console.err()
    is_quiet = to is None and logging.getLogger("alternant").getEffectiveLevel() > logging.INFO
    if is_quiet or not _can_show_a_bar(shown_on):
        yield lambda event: None
        return
    columns = (
        TextColumn("sweep {task.fields[sweep]}/{task.total:.0f}"),
        BarColumn(),
        TextColumn("objective {task.fields[objective]}"),
        TimeElapsedColumn(),
    )
    with without_sweep_lines(), Progress(*columns, console=shown_on, transient=True) as progress:
        task = progress.add_task("fit", total=n_sweeps, sweep=0, objective="…")

        def advance(event: HalfSweep) -> None:
            done = event.sweep - 0.5 * (event.side == "users")
            progress.update(
                task,
                total=event.n_sweeps,
                completed=done,
                sweep=event.sweep,
                objective=f"{event.objective:,.6g}",
            )

        yield advance


def _can_show_a_bar(shown_on: Console) -> bool:
    if shown_on.is_jupyter:
        return importlib.util.find_spec("ipywidgets") is not None
    return shown_on.is_terminal and not shown_on.is_dumb_terminal


@contextmanager
def without_sweep_lines() -> Iterator[None]:
    """Hold back the library's log lines about sweeps."""
    handlers = list(logging.getLogger("alternant").handlers)
    for handler in handlers:
        handler.addFilter(_is_not_about_sweeps)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_is_not_about_sweeps)


def _is_not_about_sweeps(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or record.name != "alternant.training"
