"""Items in the plane of two of their factors, with titles."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from alternant._words import counted
from alternant.errors import DataError
from alternant.model import FactorModel
from alternant.model.lists import Titles, title_column
from alternant.plots._labels import Label, place, shortened
from alternant.plots._theme import Chart, inline, titled

_WIDTH, _HEIGHT, _FONT_SIZE = 760, 540, 10.5
_MOST_TITLED = 1000
_MOST_BEHIND = 2000
_ONE_SIGN = 0.9


def item_map(
    model: FactorModel, *, titles: Titles | None = None, n: int = 80, factors: tuple[int, int] | None = None
) -> Chart:
    """Draw items in the plane of two factors: the n with the most entries with their titles, others as small
    dots.

    Titles never overlap: one that finds no room beside its point is left out (the point stays). Near each
    other are items that the two factors cannot tell apart; all other factors are not seen.

    Parameters
    ----------
    model : FactorModel
    titles : mapping of item ids to titles, optional
        See :func:`alternant.read_titles`; ids are shown where there is none.
    n : int
        How many items get a title, at most 1,000.
    factors : two ints, from 0, or None
        None: the two strongest, without the first where it has one sign in nine of ten of the n items: then
        it tells how popular an item is rather than what it is like.

    Raises
    ------
    DataError
        The model is sampled, or has fewer than two factors, or no item has entries; `n` or `factors` are out
        of range.

    Examples
    --------
    >>> from alternant import ExplicitALS, plots
    >>> from alternant.synthetic import example
    >>> model = ExplicitALS(n_factors=2, regularization=0.1).fit(example())
    >>> plots.item_map(model, titles={"film 1": "Alien"}).to_dict()["title"]["text"]
    'Items by factors 1 and 2'
    """
    if model.draws is not None:
        raise DataError(
            "a sampled model holds many draws of its factors and has no one map; expected one "
            "without n_samples"
        )
    if model.n_factors < 2:
        raise DataError(f"a map needs two factors, got a model with {counted(model.n_factors, 'factor')}")
    if not 1 <= n <= _MOST_TITLED:
        raise DataError(f"n must be from 1 to {_MOST_TITLED:,}, got {n!r}")
    order = np.argsort(-model.item_counts, kind="stable")
    order = order[model.item_counts[order] > 0]
    if len(order) == 0:
        raise DataError("no item of this model has entries; expected a fitted model")
    shown, behind = order[:n], order[n : n + _MOST_BEHIND]
    fx, fy = _chosen(model, shown, factors)
    labels = model.item_ids.decode(shown)
    names = [str(label) for label in labels.tolist()]
    if titles is not None:
        names = [
            title or name for title, name in zip(title_column(labels, titles).tolist(), names, strict=True)
        ]
    x, y = (model.item_factors[:, f].astype(np.float64) for f in (fx, fy))
    x_ends, y_ends = _ends(x[np.concatenate([shown, behind])]), _ends(y[np.concatenate([shown, behind])])
    across = (x[shown] - x_ends[0]) / (x_ends[1] - x_ends[0]) * _WIDTH
    down = (y_ends[1] - y[shown]) / (y_ends[1] - y_ends[0]) * _HEIGHT
    texts = [shortened(name) for name in names]
    placed = place(across, down, texts, width=_WIDTH, height=_HEIGHT, font_size=_FONT_SIZE)
    axes: dict[str, Any] = {
        "x": alt.X(
            "x:Q",
            title=f"factor {fx + 1} (no unit)",
            scale=alt.Scale(domain=x_ends, nice=False),
            axis=alt.Axis(grid=False, tickCount=6),
        ),
        "y": alt.Y(
            "y:Q",
            title=f"factor {fy + 1} (no unit)",
            scale=alt.Scale(domain=y_ends, nice=False),
            axis=alt.Axis(grid=False, tickCount=6),
        ),
    }
    points = (
        alt.Chart(inline(x=x[shown], y=y[shown], title=names, entries=model.item_counts[shown]))
        .mark_point(size=26)
        .encode(**axes, tooltip=["title:N", alt.Tooltip("entries:Q", format=",")])
    )
    layers = [points]
    if len(behind):
        dots = alt.Chart(inline(x=x[behind], y=y[behind])).mark_point(style="quiet", size=6, opacity=0.5)
        layers.insert(0, dots.encode(**axes))
    layers += _text_layers(placed, texts, x_ends, y_ends, axes)
    left_out = len(shown) - len(placed)
    lines = f"the {counted(len(shown), 'item')} with the most entries" + (
        f"; small dots: {len(behind):,} others" if len(behind) else ""
    )
    if left_out:
        lines += f"; {left_out} titles that would overlap are left out"
    skipped = factors is None and fx == 1
    return titled(
        alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT),
        f"Items by factors {fx + 1} and {fy + 1}",
        lines,
        "factor 1 is not shown: it has one sign nearly everywhere, and tells how popular items are"
        if skipped
        else "",
    )


def _chosen(model: FactorModel, shown: np.ndarray, factors: tuple[int, int] | None) -> tuple[int, int]:
    if factors is None:
        first = model.item_factors[shown, 0]
        one_sign = max(np.mean(first > 0), np.mean(first < 0)) >= _ONE_SIGN
        return (1, 2) if one_sign and len(shown) >= 10 and model.n_factors > 2 else (0, 1)
    if len(factors) != 2 or factors[0] == factors[1] or not all(0 <= f < model.n_factors for f in factors):
        raise DataError(
            f"factors must be two different numbers from 0 to {model.n_factors - 1}, got {factors!r}"
        )
    return factors[0], factors[1]


def _ends(values: np.ndarray) -> list[float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 1.0
    return [low - margin, high + margin]


def _text_layers(
    placed: Sequence[Label],
    texts: Sequence[str],
    x_ends: list[float],
    y_ends: list[float],
    axes: dict[str, Any],
) -> list[alt.Chart]:
    """Return a layer for each alignment, which cannot be a column of the data."""
    layers = []
    for align in ("left", "right", "center"):
        mine = [label for label in placed if label.align == align]
        if not mine:
            continue
        data = inline(
            x=[x_ends[0] + label.x / _WIDTH * (x_ends[1] - x_ends[0]) for label in mine],
            y=[y_ends[1] - label.y / _HEIGHT * (y_ends[1] - y_ends[0]) for label in mine],
            text=[texts[label.point] for label in mine],
        )
        mark = alt.Chart(data).mark_text(align=align, baseline="middle", fontSize=_FONT_SIZE)
        layers.append(mark.encode(**axes, text="text:N"))
    return layers
