"""What alternating least squares does, half-sweep by half-sweep, on a table small enough to see every
number."""

from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from alternant.als import ExplicitALS
from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.plots._theme import Chart, inline, titled
from alternant.synthetic import example
from alternant.training import HalfSweep

_MOST_ROWS, _MOST_FACTORS = 8, 3
_SIDE = 31

Factors = NDArray[np.float64]


def als_steps(
    interactions: Interactions | None = None,
    *,
    n_factors: int = 2,
    regularization: float = 0.1,
    n_sweeps: int = 3,
    later_sweeps: tuple[int, ...] = (100,),
    seed: int = 0,
) -> Chart:
    """Draw what ALS does: factors of users at the left, of items on top, their products in the middle.

    One picture for each half-sweep of the first `n_sweeps`, in which the side that was just solved is
    coloured; then one after each of `later_sweeps`. Products in frames have a known rating, which they are to
    meet. The model is that of the introduction, Σ (r − u·v)² + λ(‖U‖² + ‖V‖²), without biases and centring.

    Parameters
    ----------
    interactions : Interactions, optional
        At most 8 users and 8 items; None: the 4 × 4 table of the introduction.
    n_factors : int, at most 3
    regularization : float, λ
    n_sweeps : int, at most 6
    later_sweeps : ints, rising, after n_sweeps
    seed : int
        Of the start values of the items.

    Raises
    ------
    DataError
        The table is too large to see every number, or a number is out of range.

    Examples
    --------
    >>> from alternant import plots
    >>> plots.als_steps(n_sweeps=2).to_dict()["title"]["text"]
    'Alternating least squares, half-sweep by half-sweep'
    """
    table = example() if interactions is None else interactions
    _check(table, n_factors, n_sweeps, later_sweeps)
    steps: list[tuple[str, str, Factors, Factors, float]] = []
    basis = np.eye(n_factors)
    before: dict[str, Factors] = {}

    def note(event: HalfSweep) -> None:
        nonlocal basis
        still, table = ("items", event.item_table) if event.side == "users" else ("users", event.user_table)
        if still in before:
            # Between half-sweeps the loop may turn both tables, which changes no product; here the side that
            # is held still is to stay as it was shown.
            basis = _basis(table, before[still])
        shown = {"users": event.user_table @ basis, "items": event.item_table @ basis}
        before.update(shown)
        later = event.side == "items" and event.sweep in later_sweeps
        if event.sweep <= n_sweeps or later:
            name = f"sweep {event.sweep}: {event.side} solved"
            steps.append((name, event.side, shown["users"], shown["items"], event.objective))

    ExplicitALS(
        n_factors=n_factors,
        regularization=regularization,
        regularization_exponent=0,
        biases=False,
        center=False,
        tol=0,
        n_sweeps=max((n_sweeps, *later_sweeps)),
        seed=seed,
        init_scale=1.0,
    ).fit(table, callback=note)
    ratings = _dense(table)
    products = [u @ v.T for _, _, u, v, _ in steps]
    ends = [float(min(p.min() for p in products)), float(max(p.max() for p in products))]
    panels = [
        _panel(name, side, users, items, objective, ratings, ends)
        for name, side, users, items, objective in steps
    ]
    chart = alt.concat(*panels, columns=4 if len(panels) > 4 else len(panels), spacing=18)
    return titled(
        chart.resolve_scale(color="shared"),
        "Alternating least squares, half-sweep by half-sweep",
        "left: the users' factors; top: the items'; orange: just solved, with the other side held still. "
        "Middle: their products;",
        "cells with a known rating are framed, and the rating is written small. "
        "Each half can only lower the objective.",
    )


def _basis(table: NDArray[np.float32], shown: Factors) -> NDArray[np.float64]:
    """Return the orthogonal Q for which table·Q is nearest to what was shown: float64, shape (k, k)."""
    left, _, right = np.linalg.svd(table.astype(np.float64).T @ shown.astype(np.float64))
    return np.asarray(left @ right)


def _check(table: Interactions, n_factors: int, n_sweeps: int, later: tuple[int, ...]) -> None:
    if max(table.n_users, table.n_items) > _MOST_ROWS:
        raise DataError(
            f"steps are drawn for at most {_MOST_ROWS} users and items, "
            f"got {table.n_users:,} and {table.n_items:,}"
        )
    if not 1 <= n_factors <= _MOST_FACTORS:
        raise DataError(f"n_factors must be from 1 to {_MOST_FACTORS} here, got {n_factors!r}")
    if not 1 <= n_sweeps <= 6:
        raise DataError(
            f"n_sweeps must be from 1 to 6 here, got {n_sweeps!r}; later ones go into later_sweeps"
        )
    if any(sweep <= n_sweeps for sweep in later) or len(later) > 6:
        raise DataError(f"later_sweeps must be at most six sweeps after {n_sweeps}, got {later!r}")


def _dense(table: Interactions) -> NDArray[np.float64]:
    entries = table.entries()
    dense = np.full((table.n_users, table.n_items), np.nan)
    if entries.values is not None:
        dense[entries.user_index, entries.item_index] = entries.values
    return dense


def _panel(
    name: str,
    solved: str,
    users: Factors,
    items: Factors,
    objective: float,
    ratings: NDArray[np.float64],
    ends: list[float],
) -> Any:
    n_users, n_items, k = len(users), len(items), users.shape[1]
    # One grid: factors of items in rows 0 to k − 1, of users in columns 0 to k − 1; half a cell of space
    # after them.
    gap = 0.35
    r, c = (a.ravel() for a in np.mgrid[0:n_users, 0:n_items])
    products = inline(
        x=c + k + gap,
        x2=c + k + gap + 1,
        y=r + k + gap,
        y2=r + k + gap + 1,
        value=(users @ items.T).ravel(),
        rating=ratings.ravel(),
        known=np.isfinite(ratings).ravel(),
    )
    ru, cu = (a.ravel() for a in np.mgrid[0:n_users, 0:k])
    ri, ci = (a.ravel() for a in np.mgrid[0:k, 0:n_items])
    x, y = np.concatenate([cu + 0.0, ci + k + gap]), np.concatenate([ru + k + gap, ri + 0.0])
    factors = inline(
        x=x,
        x2=x + 1,
        y=y,
        y2=y + 1,
        value=np.concatenate([users.ravel(), items.T.ravel()]),
        solved=np.repeat([solved == "users", solved == "items"], [users.size, items.size]),
    )
    x_scale = alt.Scale(domain=[0, k + gap + n_items], nice=False)
    y_scale = alt.Scale(domain=[k + gap + n_users, 0], nice=False)

    def box(names: str = "x x2 y y2") -> dict[str, Any]:
        left, right, top, bottom = names.split()
        return {
            "x": alt.X(f"{left}:Q", axis=None, scale=x_scale),
            "x2": f"{right}:Q",
            "y": alt.Y(f"{top}:Q", axis=None, scale=y_scale),
            "y2": f"{bottom}:Q",
        }

    middle = {name: channel for name, channel in box("mx mx my my").items() if name in ("x", "y")}
    centre = {"mx": "(datum.x + datum.x2) / 2", "my": "(datum.y + datum.y2) / 2"}
    colour = alt.condition(
        f"datum.value > {(ends[0] + ends[1]) / 2!r}", alt.value("#000000"), alt.value("#ffffff")
    )
    cells = (
        alt.Chart(products)
        .mark_rect()
        .encode(
            **box(),
            color=alt.Color("value:Q", scale=alt.Scale(domain=ends, nice=False), title="product"),
            tooltip=[
                alt.Tooltip("value:Q", title="product", format=".3f"),
                alt.Tooltip("rating:Q", title="known rating"),
            ],
        )
    )
    inset = {
        "px": "datum.x + 0.07",
        "px2": "datum.x2 - 0.07",
        "py": "datum.y + 0.07",
        "py2": "datum.y2 - 0.07",
    }
    frames = (
        alt.Chart(products)
        .transform_filter("datum.known")
        .transform_calculate(**inset)
        .mark_rect(style="known", filled=False, strokeWidth=1.5)
        .encode(**box("px px2 py py2"))
    )
    inside = alt.Chart(products).transform_calculate(**centre)
    numbers = inside.mark_text(fontSize=10, dy=-4).encode(
        **middle, text=alt.Text("value:Q", format=".1f"), color=colour
    )
    known = (
        inside.transform_filter("datum.known")
        .mark_text(fontSize=8, dy=7)
        .encode(**middle, text=alt.Text("rating:Q", format="~g"), color=colour)
    )
    still = alt.Chart(factors).transform_filter("!datum.solved").mark_rect(style="still").encode(**box())
    just = (
        alt.Chart(factors)
        .transform_filter("datum.solved")
        .mark_rect(style="second", opacity=0.45)
        .encode(**box())
    )
    values = (
        alt.Chart(factors)
        .transform_calculate(**centre)
        .mark_text(fontSize=10)
        .encode(**middle, text=alt.Text("value:Q", format=".1f"))
    )
    width, height = (round(_SIDE * (k + gap + n)) for n in (n_items, n_users))
    return alt.layer(cells, frames, still, just, numbers, known, values).properties(
        width=width,
        height=height,
        title=alt.TitleParams(
            name, subtitle=f"objective {objective:.4g}", fontSize=12, offset=6, subtitlePadding=3
        ),
    )
