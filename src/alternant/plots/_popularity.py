"""Whether a model finds rare items, or popular ones only."""

from collections.abc import Mapping

import altair as alt
import numpy as np
from numpy.typing import ArrayLike

from alternant.errors import DataError
from alternant.plots._theme import Chart, inline, titled

_Z = 1.959963984540054  # of a 95 % interval


def popularity_recall(
    popularity: ArrayLike,
    hits: ArrayLike | Mapping[str, ArrayLike],
    *,
    k: int | None = None,
    n_groups: int = 8,
) -> Chart:
    """Draw which share of the held-out pairs was recommended, by how popular their items were in training.

    Pairs are cut into groups of about equal size by popularity; a group never splits items of one popularity.
    Bars are 95 % intervals (Wilson's), as if pairs were independent.

    Parameters
    ----------
    popularity : numbers, shape (n_pairs,)
        Of the item of each held-out pair: its number of entries in the training data.
    hits : bool, shape (n_pairs,), or a mapping of names to such arrays
        Whether the item is in the list of the pair's user; by name, to compare models.
    k : int or None
        The length of the lists, for the title.
    n_groups : int

    Raises
    ------
    DataError
        Lengths differ, there is no pair, or popularity is negative or not finite.

    Examples
    --------
    >>> from alternant import plots
    >>> chart = plots.popularity_recall([1, 2, 50, 80], [False, True, True, True], k=10, n_groups=2)
    >>> chart.to_dict()["title"]["text"]
    'Recall@10 by popularity of the item'
    """
    counts = np.asarray(popularity, np.float64).ravel()
    named = hits if isinstance(hits, Mapping) else {"model": hits}
    if len(counts) == 0:
        raise DataError("there is no held-out pair to draw; expected at least one")
    if not (np.isfinite(counts).all() and counts.min() >= 0):
        raise DataError(
            "popularity must be finite and 0 or more: the entries of each pair's item in the training data"
        )
    if n_groups < 1:
        raise DataError(f"n_groups must be a positive integer, got {n_groups!r}")
    group = _groups(counts, n_groups)
    n = np.bincount(group)
    mean_popularity = np.bincount(group, counts) / n
    # Items that nobody had are drawn at ½, since a logarithm has no place for 0.
    at = np.maximum(mean_popularity, 0.5)
    columns: dict[str, list[float | str]] = {
        name: [] for name in ("model", "popularity", "recall", "low", "high", "pairs")
    }
    for name, found in named.items():
        hit = np.asarray(found, bool).ravel()
        if hit.shape != counts.shape:
            raise DataError(
                f"hits of {name!r} must be as many as popularity, got {len(hit)} and {len(counts)}"
            )
        recall = np.bincount(group, hit) / n
        middle = (recall + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * np.sqrt(recall * (1 - recall) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
        for key, values in zip(list(columns)[1:], (at, recall, low, high, n), strict=True):
            columns[key] += values.tolist()
        columns["model"] += [name] * len(n)
    base = alt.Chart(inline(**columns)).encode(
        x=alt.X(
            "popularity:Q",
            title="entries of the item in the training data (mean of the group, logarithmic)",
            scale=alt.Scale(type="log", nice=False, padding=14),
            axis=alt.Axis(grid=False, format="~s", tickCount=6),
        ),
        color=alt.Color("model:N", title=None, sort=list(named)) if len(named) > 1 else alt.Undefined,
    )
    y = alt.Y(
        "recall:Q",
        title="share of held-out pairs that were recommended",
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domainMin=0),
    )
    tooltip = [
        *([alt.Tooltip("model:N")] if len(named) > 1 else []),
        alt.Tooltip("popularity:Q", format=",.3g", title="entries, mean"),
        alt.Tooltip("recall:Q", format=".1%"),
        alt.Tooltip("pairs:Q", format=","),
    ]
    chart = alt.layer(
        base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=None), y2="high:Q"),
        base.mark_line().encode(y=y),
        base.mark_point(size=55).encode(
            y=y,
            tooltip=tooltip,
            shape=alt.Shape("model:N", legend=None, sort=list(named)) if len(named) > 1 else alt.Undefined,
        ),
    )
    return titled(
        chart,
        f"Recall{'' if k is None else f'@{k}'} by popularity of the item",
        f"{len(counts):,} held-out pairs in {len(n)} groups of about equal size; bars: 95 % intervals",
    )


def _groups(counts: np.ndarray, n_groups: int) -> np.ndarray:
    """Return the group of each pair, from 0, without gaps: pairs of equal popularity are in one group."""
    _, level, n = np.unique(counts, return_inverse=True, return_counts=True)
    middle = np.cumsum(n) - n / 2
    of_level = np.minimum((middle * n_groups / len(counts)).astype(np.int64), n_groups - 1)
    return np.asarray(np.unique(of_level, return_inverse=True)[1][level])
