"""What a search for settings tried, and how each came out."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from alternant._frames import read_columns
from alternant._words import counted
from alternant.errors import DataError
from alternant.plots._theme import Chart, inline, titled

_LOGARITHMIC = {
    "n_factors": 2,
    "regularization": 10,
    "unobserved_weight": 10,
    "alpha": 10,
    "l1_regularization": 10,
}
_MOST_TRIALS = 2000


def trials(
    history: Any,
    *,
    metric: str,
    settings: Sequence[str] = ("n_factors", "regularization"),
    larger_is_better: bool = True,
) -> Chart:
    """Draw the metric of each trial against each of its settings, side by side, the best one marked.

    Points take their colour from the number of factors where that is among the settings.

    Parameters
    ----------
    history : frame, dict of columns, or sequence of dicts
        One row for each trial: its settings as numbers, and the metric, NaN or None where a trial ended
        early.
    metric : str
        The column of the metric.
    settings : sequence of str
        The columns to draw it against. One that is the same in all trials is left out if another is not.
    larger_is_better : bool
        False for errors.

    Raises
    ------
    DataError
        A column is missing or holds no numbers, there are more than 2,000 trials, or no trial has a metric.

    Examples
    --------
    >>> from alternant import plots
    >>> history = {"n_factors": [16, 32], "regularization": [0.01, 0.01], "ndcg@20": [0.21, 0.24]}
    >>> plots.trials(history, metric="ndcg@20").to_dict()["title"]["subtitle"]
    ['best of 2 trials: 0.24 at n_factors = 32, regularization = 0.01']
    """
    columns = _columns(history, [*settings, metric])
    values = columns.pop(metric)
    known = np.isfinite(values)
    if not known.any():
        raise DataError(f"no trial has a finite {metric!r}; expected at least one")
    if len(values) > _MOST_TRIALS:
        raise DataError(
            f"at most {_MOST_TRIALS:,} trials can be drawn, got {len(values):,}; leave the worst out"
        )
    best = int(
        np.argmax(np.where(known, values, -np.inf))
        if larger_is_better
        else np.argmin(np.where(known, values, np.inf))
    )
    varied = [name for name in settings if len(np.unique(columns[name][known])) > 1] or list(settings[:1])
    is_best = np.zeros(len(values), bool)
    is_best[best] = True
    data = inline(
        **{f"s{i}": columns[name][known] for i, name in enumerate(settings)},
        value=values[known],
        best=is_best[known],
    )
    tooltip = [alt.Tooltip(f"s{i}:Q", title=name, format=".4g") for i, name in enumerate(settings)]
    tooltip.append(alt.Tooltip("value:Q", title=metric, format=".4g"))
    coloured = "n_factors" in varied and len(varied) > 1
    colour = (
        alt.Color(
            f"s{list(settings).index('n_factors')}:O", title="n_factors", scale=alt.Scale(range="ordinal")
        )
        if coloured
        else alt.Undefined
    )
    panels = []
    for place, name in enumerate(varied):
        field = f"s{list(settings).index(name)}"
        x = alt.X(
            f"{field}:Q",
            title=name,
            scale=_scale(name, columns[name][known]),
            axis=_axis(name, columns[name][known]),
        )
        y = alt.Y("value:Q", title=metric if place == 0 else None, scale=alt.Scale(zero=False, padding=10))
        base = alt.Chart(data).encode(x=x, y=y)
        points = base.mark_point(size=50, opacity=0.9).encode(color=colour, tooltip=tooltip)
        ring = base.mark_point(style="ring", filled=False, size=190).transform_filter("datum.best")
        panels.append(alt.layer(points, ring).properties(width=300, height=280))
    chosen = ", ".join(f"{name} = {columns[name][best]:.4g}" for name in settings)
    lines = [f"best of {len(values):,} trials: {values[best]:.4g} at {chosen}"]
    if not known.all():
        lines.append(f"{counted(int((~known).sum()), 'trial')} without a result: not drawn")
    chart = alt.hconcat(*panels).resolve_scale(y="shared") if len(panels) > 1 else panels[0]
    return titled(chart, f"{metric} of each trial; the ring marks the best", *lines)


def _columns(history: Any, names: list[str]) -> dict[str, np.ndarray]:
    if isinstance(history, Sequence) and not isinstance(history, str):
        missing = [name for name in names if not all(name in row for row in history)]
        if missing:
            raise DataError(f"trials must have {missing[0]!r}; got rows without it")
        history = {name: [row[name] for row in history] for name in names}
    if isinstance(history, Mapping):
        history = {
            name: np.asarray([np.nan if v is None else v for v in history[name]])
            for name in names
            if name in history
        }
    columns = read_columns(history, {name: name for name in names})
    result = {}
    for name in names:
        column = columns[name]
        if column.values is None or column.kind == "other":
            raise DataError(f"column {name!r} of the trials must hold numbers, got {column.type_name}")
        result[name] = column.values.astype(np.float64)
        if column.nulls is not None:
            result[name][column.nulls] = np.nan
    return result


def _scale(name: str, values: np.ndarray) -> alt.Scale:
    base = _LOGARITHMIC.get(name)
    if base is None or values.min() <= 0:
        return alt.Scale(zero=False, padding=12)
    return alt.Scale(type="log", base=base, nice=False, padding=12)


def _axis(name: str, values: np.ndarray) -> alt.Axis:
    levels = np.unique(values)
    if len(levels) <= 6:  # what was tried, rather than round numbers
        return alt.Axis(values=levels.tolist(), format="~g", grid=False)
    base = _LOGARITHMIC.get(name)
    if base is None or values.min() <= 0:
        return alt.Axis(format="~g", grid=False, tickCount=5)
    first, last = (np.log(end) / np.log(base) for end in (levels[0], levels[-1]))
    powers = np.arange(np.ceil(first - 0.01), np.floor(last + 0.01) + 1)
    return (
        alt.Axis(format="~g", grid=False, values=[float(f"{base**power:.9g}") for power in powers])
        if len(powers) > 1
        else (alt.Axis(format="~g", grid=False, tickCount=5))
    )
