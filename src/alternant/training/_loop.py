"""The loop: users given items, items given users, until nothing is left to gain.

Every half-sweep writes a second buffer and swaps, so that callbacks and an interruption always find one
consistent pair of tables.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from alternant.errors import DivergedError
from alternant.model import TraceEntry
from alternant.objective import Side, Table, other
from alternant.training._backend import Backend
from alternant.training._best import FIRST_SWEEP_TO_STOP, Best, Validation
from alternant.training._state import State

logger = logging.getLogger("alternant.training")


@dataclass(frozen=True, eq=False)
class HalfSweep:
    """What a callback is told after each half-sweep; a callback that returns true ends the fit.

    Attributes
    ----------
    sweep : int, from 1
    side : "users" or "items", the side that was just solved
    objective : float, its value with both tables below
    decrease : float, relative to the value one half-sweep ago; NaN for the first
    seconds : float, since the first half-sweep began
    n_sweeps : int, the most that there will be
    user_table, item_table : float32, shape (n, width)
        Read-only views, which later half-sweeps overwrite: copy what is to be kept.
    validation : float, what these tables reach on the validation entries, where the fit has some, after a
        whole sweep; else None
    """

    sweep: int
    side: Side
    objective: float
    decrease: float
    seconds: float
    n_sweeps: int
    user_table: Table = field(repr=False)
    item_table: Table = field(repr=False)
    validation: float | None = None


Callback = Callable[[HalfSweep], object]


@dataclass(frozen=True, eq=False)
class Trained:
    """Where the loop ended.

    state : State, after the last whole sweep, or after the best one where there was validation
    trace : one entry for each half-sweep
    stopped : why it ended, in words
    """

    state: State
    trace: tuple[TraceEntry, ...]
    stopped: str


def alternate(
    backend: Backend,
    start: State,
    *,
    n_sweeps: int,
    tol: float,
    constant: float = 0.0,
    validation: Validation | None = None,
    time_budget: float | None = None,
    callback: Callback | None = None,
) -> Trained:
    """Alternate from the start values of the items, which are left as they are.

    Ends after `n_sweeps` sweeps; when the objective's relative decrease over a sweep falls under `tol` (from
    the fourth sweep on; 0: never); when the validation metric has not improved for its patience; after the
    sweep in which the time budget runs out; when the callback returns true; or on Ctrl-C, with the last whole
    sweep. With `validation` every end, whatever its reason, leaves the tables of the best sweep.

    Parameters
    ----------
    start : State
        The users' table is where coordinate descent starts, and else overwritten.
    constant : float
        What the objective has beyond the losses of rows.
    validation : Validation, optional
        What to measure after each sweep. The tables of the best one are kept: one more copy in memory.
    time_budget : float, optional
        Seconds.

    Raises
    ------
    SingularSystemError, DivergedError
        See :func:`alternant.solvers.solve_side`.
    KeyboardInterrupt
        On Ctrl-C before the first whole sweep.
    """
    state, whole = start, start
    penalties: dict[Side, float] = {"items": backend.penalty("items", start.items)}
    spare = {"users": np.empty_like(start.users.table), "items": np.empty_like(start.items.table)}
    trace: list[TraceEntry] = []
    best = None if validation is None else Best(validation)
    began = time.perf_counter()
    stopped = "the one sweep done" if n_sweeps == 1 else f"all {n_sweeps} sweeps done"

    def half(sweep: int, side: Side) -> bool:
        """Do a half-sweep, record it and tell the callback; true where it asks to stop."""
        nonlocal state
        solved = backend.half_sweep(side, state, spare[side])
        # Neither the caller's start values nor the best tables are buffers, and a rotated table is a new one.
        old = state.of(side).table
        is_kept = old is start.of(side).table or (best is not None and best.holds(old))
        spare[side] = np.empty_like(old) if is_kept else old
        state = solved.state
        penalties[side] = solved.penalty
        regularization = solved.penalty + penalties[other(side)]
        objective = constant + solved.data + regularization
        if not math.isfinite(objective):
            raise DivergedError(
                f"the objective is {objective!r} in sweep {sweep}: values of this size do not fit float32; "
                "scale the values down"
            )
        seconds = time.perf_counter() - began
        before = trace[-1].objective if trace else math.nan
        value = None if best is None or side == "users" else best.see(sweep, state)
        trace.append(TraceEntry(sweep, side, objective, seconds, solved.unobserved, regularization, value))
        if callback is None:
            return False
        event = HalfSweep(
            sweep=sweep,
            side=side,
            objective=objective,
            decrease=decrease(before, objective),
            seconds=seconds,
            n_sweeps=n_sweeps,
            user_table=read_only(state.users.table),
            item_table=read_only(state.items.table),
            validation=value,
        )
        return bool(callback(event))

    try:
        for sweep in range(1, n_sweeps + 1):
            if half(sweep, "users") or half(sweep, "items"):
                stopped = "the callback asked to stop"
                whole = state
                break
            whole = state
            logger.info(
                "sweep %d of %d: objective %s%s, %.2f s",
                sweep,
                n_sweeps,
                f"{trace[-1].objective:,.6g}",
                "" if best is None else f", {best.last_text}",
                trace[-1].seconds,
            )
            if best is not None and best.is_exhausted(sweep):
                stopped = best.why
                break
            if sweep >= FIRST_SWEEP_TO_STOP and tol > 0.0:
                fall = decrease(trace[-3].objective, trace[-1].objective)
                if fall < tol:
                    stopped = f"the objective fell by {fall:.1e} in sweep {sweep}, less than tol = {tol:g}"
                    break
            if time_budget is not None and time.perf_counter() - began >= time_budget and sweep < n_sweeps:
                stopped = f"the time budget of {time_budget:g} s ran out in sweep {sweep}"
                break
    except KeyboardInterrupt:
        n_whole = sum(entry.side == "items" for entry in trace)
        if n_whole == 0:
            raise
        stopped = f"interrupted after {n_whole} whole sweep{'' if n_whole == 1 else 's'}"
        logger.warning("%s: kept what they gave", stopped)
        trace = trace[: 2 * n_whole]
    if best is not None and best.state is not None:
        whole, stopped = best.state, best.kept_text(stopped)
    return Trained(whole, tuple(trace), stopped)


def decrease(before: float, now: float) -> float:
    """Return by which share an objective fell."""
    return (before - now) / abs(before) if before != 0.0 else 0.0


def read_only(table: Table) -> Table:
    """Return a view that cannot be written."""
    view = table.view()
    view.flags.writeable = False
    return view
