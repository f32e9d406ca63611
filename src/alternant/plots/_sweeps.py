"""How a fit went: the objective after each half-sweep, and the validation metric where there is one."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from alternant._words import counted
from alternant.errors import DataError
from alternant.model import FactorModel
from alternant.plots._theme import Chart, inline, titled

_MOST_POINTS = 1000
_LOG_FROM = 20.0
"""From this ratio of the largest to the smallest value on, an axis is logarithmic: else the end of a fit is a
flat line."""


def sweeps(model: FactorModel, *, metric: str = "validation metric") -> Chart:
    """Draw the objective after each half-sweep of the fit, and below it the validation metric of a fit that
    had one.

    Of a sampled model, which minimises nothing, the mean squares of its draws. The axis is logarithmic where
    values span a factor of 20 or more. Of very long fits a thousand points are drawn.

    Parameters
    ----------
    model : FactorModel
    metric : str
        What the validation metric is called.

    Raises
    ------
    DataError
        The model holds no trace.

    Examples
    --------
    >>> from alternant import ExplicitALS, plots
    >>> from alternant.synthetic import example
    >>> chart = plots.sweeps(ExplicitALS(n_factors=2).fit(example()))
    >>> chart.to_dict()["title"]["text"]
    'Objective after each half-sweep'
    """
    if not model.trace:
        raise DataError("this model holds no trace of its fit; expected one that fit returned")
    sampled = model.draws is not None
    trace = model.trace
    if len(trace) > _MOST_POINTS:
        trace = tuple(
            trace[i - 1] for i in np.unique(np.geomspace(1, len(trace), _MOST_POINTS).round().astype(int))
        )
    # A half-sweep of the users ends in the middle of its sweep.
    at = np.array([entry.sweep - (0.5 if entry.side == "users" else 0.0) for entry in trace])
    objective = np.array([entry.objective for entry in trace])
    validation = np.array([_validation(entry) for entry in trace])
    solved = [entry.side for entry in trace]
    name = "sum of squared errors of the draw" if sampled else "objective"
    n_sweeps = max((entry.sweep for entry in model.trace if entry.side == "items"), default=0)
    upper = _panel(at, objective, solved, name=name, tooltip=name)
    known = np.isfinite(validation)
    last = model.trace[-1]
    lines = (
        f"{counted(model.n_users, 'user')}, {counted(model.n_items, 'item')}, "
        f"{counted(model.n_factors, 'factor')}; "
        f"{counted(n_sweeps, 'sweep')} in {last.seconds:,.3g} seconds",
        model.stopped,
    )
    title = (
        f"{'Squared errors' if sampled else 'Objective'} after each {'sweep' if sampled else 'half-sweep'}"
    )
    if not known.any():
        return titled(upper, title, *lines)
    sides = [side for side, there in zip(solved, known, strict=True) if there]
    lower = _panel(at[known], validation[known], sides, name=metric, tooltip=metric)
    both = alt.vconcat(upper.properties(height=220), lower.properties(height=180))
    return titled(both.resolve_scale(x="shared"), f"{title}, and the {metric}", *lines)


def _validation(entry: object) -> float:
    value = getattr(entry, "validation", None)
    return float("nan") if value is None else float(value)


def _panel(at: np.ndarray, values: np.ndarray, solved: Sequence[str], *, name: str, tooltip: str) -> Any:
    logarithmic = values.min() > 0 and values.max() / values.min() >= _LOG_FROM
    scale = alt.Scale(type="log", nice=False, padding=8) if logarithmic else alt.Scale(zero=False, padding=8)
    few = len(values) <= 80
    base = alt.Chart(inline(sweep=at, value=values, solved=solved)).encode(
        x=alt.X(
            "sweep:Q",
            title="sweep (users are solved at halves, items at whole numbers)"
            if len(set(solved)) > 1
            else "sweep",
            axis=alt.Axis(tickMinStep=1, format=",d", grid=False),
            scale=alt.Scale(nice=False, padding=8),
        ),
        y=alt.Y(
            "value:Q",
            title=name + (" (logarithmic)" if logarithmic else ""),
            scale=scale,
            axis=alt.Axis(format="~s" if values.max() >= 1e4 else "~g", tickCount=6),
        ),
    )
    line = base.mark_line(style="quiet", strokeWidth=1.5, opacity=1)
    points = base.mark_point(filled=True, size=45 if few else 14).encode(
        color=alt.Color("solved:N", title="just solved", scale=alt.Scale(domain=["users", "items"]))
        if len(set(solved)) > 1
        else alt.Undefined,
        shape=alt.Shape(
            "solved:N",
            title="just solved",
            scale=alt.Scale(domain=["users", "items"], range=["circle", "square"]),
        )
        if len(set(solved)) > 1
        else alt.Undefined,
        tooltip=[
            alt.Tooltip("sweep:Q"),
            alt.Tooltip("solved:N"),
            alt.Tooltip("value:Q", title=tooltip, format=",.6g"),
        ],
    )
    return alt.layer(line, points)
