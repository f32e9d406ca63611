"""Predictions against what was there."""

from typing import Any

import altair as alt
import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant import metrics
from alternant.errors import DataError
from alternant.plots._theme import Chart, inline, titled

_MOST_POINTS = 800
_MOST_LEVELS = 20
_N_BINS = 40


def predicted_actual(predicted: ArrayLike, actual: ArrayLike, *, what: str = "") -> Chart:
    """Draw predictions against actual values: points up to 800 pairs, beyond that how many pairs fall where.

    The dashed line is where both are equal; the orange one is the mean prediction for each actual value.
    Least squares predicts means, so that it is flatter than the dashed one.

    Parameters
    ----------
    predicted, actual : numbers, shape (n,)
        Pairs whose prediction is NaN are left out, and counted below the title.
    what : str
        Which pairs these are, e.g. "test part"; it becomes part of the title.

    Raises
    ------
    DataError
        The shapes differ, an actual value is not finite, or no pair is left.

    Examples
    --------
    >>> from alternant import plots
    >>> chart = plots.predicted_actual([3.5, 4.1, 2.0], [4, 5, 1], what="test part")
    >>> chart.to_dict()["title"]["text"]
    'Predicted against actual values: test part'
    """
    p, a = np.asarray(predicted, np.float64).ravel(), np.asarray(actual, np.float64).ravel()
    if p.shape != a.shape:
        raise DataError(f"predicted and actual must have the same length, got {len(p)} and {len(a)}")
    left_out = int(np.isnan(p).sum())
    p, a = p[~np.isnan(p)], a[~np.isnan(p)]
    if len(p) == 0:
        raise DataError("there is no prediction to draw; expected at least one pair with a finite prediction")
    rmse, mae = metrics.rmse(p, a), metrics.mae(p, a)
    low, high = float(min(p.min(), a.min())), float(max(p.max(), a.max()))
    margin = 0.04 * (high - low) or 0.5
    ends = [low - margin, high + margin]
    edges = _edges(np.unique(a), ends)
    ends = [min(ends[0], float(edges[0])), max(ends[1], float(edges[-1]))]
    layers: list[Any] = [_points(p, a, ends) if len(p) <= _MOST_POINTS else _cells(p, a, edges, ends)]
    layers += [_equal(ends), _means(p, a, edges, ends)]
    counts = f"{len(p):,} pairs; RMSE {rmse:.4g}, MAE {mae:.4g}"
    if left_out:
        counts += f"; {left_out:,} without a prediction left out"
    return titled(
        alt.layer(*layers).properties(width=440, height=400),
        "Predicted against actual values" + (f": {what}" if what else ""),
        counts,
        "dashed: both equal; orange: mean prediction",
    )


def _axes(ends: list[float]) -> dict[str, Any]:
    scale = alt.Scale(domain=ends, nice=False)
    return {
        "x": alt.X("actual:Q", title="actual value", scale=scale, axis=alt.Axis(grid=False)),
        "y": alt.Y("predicted:Q", title="predicted value", scale=scale, axis=alt.Axis(grid=False)),
    }


def _edges(levels: NDArray[np.float64], ends: list[float]) -> NDArray[np.float64]:
    """Return bins of actual values: one around each level where there are few, else of equal width."""
    if not 1 < len(levels) <= _MOST_LEVELS:
        return np.linspace(ends[0], ends[1], _N_BINS + 1)
    half = np.diff(levels).min() / 2
    inner = np.sort(np.concatenate([levels - 0.9 * half, levels + 0.9 * half]))
    return np.asarray(inner)


def _points(p: NDArray[np.float64], a: NDArray[np.float64], ends: list[float]) -> Any:
    return alt.Chart(inline(actual=a, predicted=p)).mark_point(opacity=0.45, size=28).encode(**_axes(ends))


def _cells(
    p: NDArray[np.float64], a: NDArray[np.float64], edges: NDArray[np.float64], ends: list[float]
) -> Any:
    y_edges = np.linspace(ends[0], ends[1], _N_BINS + 1)
    counts, _, _ = np.histogram2d(a, p, bins=(edges, y_edges))
    column, row = np.nonzero(counts)
    data = inline(
        actual=edges[column],
        actual_end=edges[column + 1],
        predicted=y_edges[row],
        predicted_end=y_edges[row + 1],
        pairs=counts[column, row].astype(np.int64),
    )
    axes = _axes(ends)
    return (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=axes["x"],
            x2="actual_end:Q",
            y=axes["y"],
            y2="predicted_end:Q",
            color=alt.Color(
                "pairs:Q",
                title="pairs (logarithmic)",
                scale=alt.Scale(type="log", nice=False, range="ramp"),
                legend=alt.Legend(format="~s", gradientLength=200),
            ),
            tooltip=[
                alt.Tooltip("pairs:Q", format=","),
                alt.Tooltip("actual:Q", format=".3g", title="actual from"),
                alt.Tooltip("predicted:Q", format=".3g", title="predicted from"),
            ],
        )
    )


def _equal(ends: list[float]) -> Any:
    return alt.Chart(inline(actual=ends, predicted=ends)).mark_line(style="reference").encode(**_axes(ends))


def _means(
    p: NDArray[np.float64], a: NDArray[np.float64], edges: NDArray[np.float64], ends: list[float]
) -> Any:
    bins = np.digitize(a, edges)
    n = np.bincount(bins, minlength=len(edges) + 1)
    there = np.flatnonzero(n)
    x, y = (np.bincount(bins, values, len(edges) + 1)[there] / n[there] for values in (a, p))
    data = inline(actual=x, predicted=y, pairs=n[there])
    return (
        alt.Chart(data)
        .mark_line(style="second", point={"style": "second", "size": 40}, strokeWidth=2)
        .encode(
            **_axes(ends),
            tooltip=[
                alt.Tooltip("actual:Q", format=".3g"),
                alt.Tooltip("predicted:Q", format=".4g", title="mean prediction"),
                alt.Tooltip("pairs:Q", format=","),
            ],
        )
    )
