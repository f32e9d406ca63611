"""The filled-in matrix of a small model, with the known cells marked."""

from typing import Any

import altair as alt
import numpy as np

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.model import FactorModel
from alternant.model.lists import Titles, title_column
from alternant.plots._labels import shortened
from alternant.plots._theme import Chart, inline, titled

MOST_USERS, MOST_ITEMS = 40, 60
_MOST_WITH_NUMBERS = 15


def filled_matrix(
    model: FactorModel,
    interactions: Interactions | None = None,
    *,
    users: Any = None,
    items: Any = None,
    titles: Titles | None = None,
    clip: bool = False,
) -> Chart:
    """Draw the predictions of all pairs as a heat map; a frame marks each known cell, which `interactions`
    has.

    Up to 15 × 15, cells hold their prediction as a number, and known ones the known value below it.

    Parameters
    ----------
    model : FactorModel
    interactions : Interactions, optional
        What is known; None: the training data that the model holds.
    users, items : ids, shape (n,), optional
        Which rows and columns; None: all. At most 40 users and 60 items.
    titles : mapping of item ids to titles, optional
    clip : bool
        Clip predictions to the range of the training values.

    Raises
    ------
    DataError
        There are too many users or items to see anything, or nothing tells what is known.
    UnknownIdError
        An id is not in this model.

    Examples
    --------
    >>> from alternant import ExplicitALS, plots
    >>> from alternant.synthetic import example
    >>> model = ExplicitALS(n_factors=2, regularization=0.1).fit(example())
    >>> plots.filled_matrix(model).to_dict()["title"]["text"]
    'Predictions for every user and item'
    """
    known_data = model.history if interactions is None else interactions
    if known_data is None:
        raise DataError(
            "this model holds no training data, so nothing tells which cells are known; pass interactions="
        )
    for side, chosen, there, most in (
        ("users", users, model.n_users, MOST_USERS),
        ("items", items, model.n_items, MOST_ITEMS),
    ):
        size = there if chosen is None else 1 if isinstance(chosen, (str, int)) else len(chosen)
        if size > most:
            raise DataError(
                f"a matrix of at most {most} {side} can be read, got {size:,}; name some with {side}="
            )
    completion = model.complete(users=users, items=items, clip=clip)
    n_users, n_items = completion.values.shape
    if n_users == 0 or n_items == 0:
        raise DataError(f"there is no cell to draw, got {n_users} users and {n_items} items")
    values = _known_values(known_data, completion.user_id.tolist(), completion.item_id.tolist())
    row_names = [shortened(str(label)) for label in completion.user_id.tolist()]
    column_names = [shortened(str(label)) for label in completion.item_id.tolist()]
    if titles is not None:
        named = title_column(completion.item_id, titles).tolist()
        column_names = [shortened(title) or name for title, name in zip(named, column_names, strict=True)]
    # Names may be equal; positions are not.
    data = inline(
        row=np.repeat(np.arange(n_users), n_items),
        column=np.tile(np.arange(n_items), n_users),
        user=np.repeat(row_names, n_items),
        item=np.tile(column_names, n_users),
        prediction=completion.values.reshape(-1),
        value=values.reshape(-1),
        known=np.isfinite(values).reshape(-1),
    )
    numbers = max(n_users, n_items) <= _MOST_WITH_NUMBERS
    cell = 46 if numbers else 22 if max(n_users, n_items) <= 30 else 14
    long_names = max(map(len, column_names)) > 7
    axes: dict[str, Any] = {
        "x": alt.X("column:O", title="item", axis=_names(column_names, angle=-45 if long_names else 0)),
        "y": alt.Y("row:O", title="user", axis=_names(row_names, angle=0)),
    }
    base = alt.Chart(data).encode(**axes)
    tooltip = [
        "user:N",
        "item:N",
        alt.Tooltip("prediction:Q", format=".3f"),
        alt.Tooltip("value:Q", title="known value"),
    ]
    cells = base.mark_rect().encode(
        color=alt.Color(
            "prediction:Q",
            title="prediction",
            scale=alt.Scale(zero=False, nice=False),
            legend=alt.Legend(gradientLength=max(60, min(200, cell * n_users - 30))),
        ),
        tooltip=tooltip,
    )
    frames = base.mark_rect(style="known", width=cell - 4, height=cell - 4, filled=False).transform_filter(
        "datum.known"
    )
    layers = [cells, frames]
    if numbers:
        low, high = float(completion.values.min()), float(completion.values.max())
        layers += _numbers(base, (low + high) / 2)
    share = f"{int(np.isfinite(values).sum()):,} known cells of {values.size:,} are framed"
    return titled(
        alt.layer(*layers).properties(width=alt.Step(cell), height=alt.Step(cell)),
        "Predictions for every user and item",
        share + ("; small: the known value" if numbers else ""),
    )


def _names(names: list[str], *, angle: int) -> alt.Axis:
    listed = ", ".join(_quoted(name) for name in names)
    axis = alt.Axis(
        labelExpr=f"[{listed}][datum.value]",
        labelAngle=angle,
        labelOverlap=False,
        ticks=False,
        domain=False,
        labelPadding=6,
    )
    if angle:
        axis.labelAlign, axis.labelBaseline = "right", "middle"
    return axis


def _quoted(text: str) -> str:
    """Return a text as a string of Vega's expressions, in which nothing of it can mean anything else."""
    return (
        "'"
        + "".join(
            c
            if (c.isalnum() and c.isascii()) or c == " "
            else "".join(f"\\u{unit:04x}" for unit in _utf16(c))
            for c in text
        )
        + "'"
    )


def _utf16(letter: str) -> list[int]:
    code = letter.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(code[i : i + 2], "big") for i in range(0, len(code), 2)]


def _numbers(base: alt.Chart, middle: float) -> list[alt.Chart]:
    # cividis is dark below its middle and light above.
    colour = alt.condition(f"datum.prediction > {middle!r}", alt.value("#000000"), alt.value("#ffffff"))
    return [
        base.mark_text(baseline="middle", dy=-4, fontSize=12).encode(
            text=alt.Text("prediction:Q", format=".2f"), color=colour
        ),
        base.mark_text(baseline="middle", dy=10, fontSize=9)
        .encode(text=alt.Text("value:Q", format="~g"), color=colour)
        .transform_filter("datum.known"),
    ]


def _known_values(interactions: Interactions, users: list[Any], items: list[Any]) -> np.ndarray:
    """Return the known value of each cell: float64, shape (n_users, n_items), NaN where there is none; 1
    without values."""
    values = np.full((len(users), len(items)), np.nan)
    places = {label: place for place, label in enumerate(items)}
    rows = interactions.by_user
    positions = {label: place for place, label in enumerate(interactions.user_ids.labels.tolist())}
    labels = interactions.item_ids.labels
    for r, user in enumerate(users):
        position = positions.get(user)
        if position is None:
            continue
        block = rows.block(position, position + 1)
        for entry, item in enumerate(labels[block.indices].tolist()):
            if item in places:
                values[r, places[item]] = 1.0 if block.values is None else block.values[entry]
    return values
