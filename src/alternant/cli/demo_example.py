"""The first half of the demo: the 4 × 4 table, step by step."""

import math

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alternant.als import ExplicitALS
from alternant.interactions import Interactions
from alternant.model import Completion, FactorModel
from alternant.synthetic import example

SETTINGS = ExplicitALS(
    n_factors=2,
    regularization=0.1,
    regularization_exponent=0,
    biases=False,
    center=False,
    init="spectral",
    tol=0,
    n_sweeps=3000,
)
_SHOWN_SWEEPS = (1, 2, 3, 5, 10, 20, 50, 100, 300, 1000, 3000)


def show(shown_on: Console) -> None:
    """Fit the table with the formula of the introduction and show each step."""
    table = example()
    model = SETTINGS.fit(table)
    completion = model.complete()
    ratings = _dense(table)
    users, films = table.user_ids.labels.tolist(), table.item_ids.labels.tolist()

    shown_on.print("Four people have rated some of four films. What would they say of the others?")
    shown_on.print(_grid(users, films, [[_rating(cell) for cell in row] for row in ratings]))
    shown_on.print(
        "Alternating least squares looks for two numbers for each user and two for each film, such "
        "that their "
        "products come close to the known ratings and the numbers stay small:\n"
    )
    shown_on.print("    minimise  Σ (rating − user · film)²  +  0.1 (Σ user² + Σ film²)\n", style="bold")
    shown_on.print(
        "Hold the films still, and the best numbers of each user are a small regression with one "
        "exact answer. Then "
        "hold the users still and do the films. That is one sweep, and no half of it can raise the loss:\n"
    )
    shown_on.print(_losses(model))
    error = math.sqrt(np.nanmean((completion.values - ratings) ** 2))
    shown_on.print(
        f"\nThe twelve known ratings are now met within {error:.2f} (RMSE), and the products fill in "
        "the four that "
        "were unknown (marked):"
    )
    shown_on.print(_grid(users, films, _filled(completion, ratings)))
    _judge(shown_on, table, model, completion)


def _judge(shown_on: Console, table: Interactions, model: FactorModel, completion: Completion) -> None:
    wanted = float(model.predict("user 1", "film 3"))
    unknown = np.where(completion.known, -np.inf, completion.values)
    u, i = np.unravel_index(int(np.argmax(unknown)), unknown.shape)
    user, film = table.user_ids.labels[u], table.item_ids.labels[i]
    careful = float(ExplicitALS().fit(table).predict(user, film))
    shown_on.print(f"User 1 would give film 3 a {wanted:.2f}: middling, so not a film to press on them.\n")
    shown_on.print(
        f"The strongest recommendation is {film} for {user}, at {unknown[u, i]:.2f}: more than the 5 "
        "that the scale "
        "allows, because the products know nothing of the scale (clipped, it is 5).\n"
    )
    shown_on.print(
        "Would you trust it? Be slow to. Twelve ratings are met by sixteen numbers. Users 1 and 2 "
        "like film 1 and "
        f"gave film 4 a 1, and {user} gave film 4 a 4: one might well guess the opposite. With the "
        "library's default "
        "settings, which add a bias for every user and film and hold the numbers much smaller, this cell is "
        f"{careful:.2f}. So small a table shows how the method works, not how well.\n"
    )
    shown_on.print(
        "The start matters, too. From the wrong one, the sweeps settle where the loss is 22.07 and "
        "stay there; this "
        "run began at the table's own strongest directions.",
    )


def _dense(table: Interactions) -> NDArray[np.float64]:
    """Return the ratings as float64, shape (n_users, n_items), NaN where unknown."""
    entries = table.entries()
    dense = np.full((table.n_users, table.n_items), np.nan)
    if entries.values is not None:
        dense[entries.user_index, entries.item_index] = entries.values
    return dense


def _rating(value: float) -> Text:
    return Text("?", style="bold yellow") if math.isnan(value) else Text(f"{value:g}")


def _filled(completion: Completion, ratings: NDArray[np.float64]) -> list[list[Text]]:
    """Return the cells of the completed table: the unknown ones marked, the known ones beside their "
    "rating."""
    return [
        [
            Text(f"▸ {value:.2f}", style="bold yellow")
            if math.isnan(rating)
            else Text(f"{value:.2f}", style="dim")
            for value, rating in zip(values, row, strict=True)
        ]
        for values, row in zip(completion.values.tolist(), ratings.tolist(), strict=True)
    ]


def _grid(users: list[str], films: list[str], cells: list[list[Text]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2))
    table.add_column("")
    for film in films:
        table.add_column(film, justify="right")
    for user, row in zip(users, cells, strict=True):
        table.add_row(user, *row)
    return table


def _losses(model: FactorModel) -> Table:
    """Return the loss after some of the sweeps, with bars on a logarithmic scale."""
    after = {entry.sweep: entry.objective for entry in model.trace if entry.side == "items"}
    shown = [sweep for sweep in _SHOWN_SWEEPS if sweep in after]
    low, high = math.log(min(after.values())), math.log(after[shown[0]])
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("sweep", justify="right")
    table.add_column("loss", justify="right")
    table.add_column("")
    for sweep in shown:
        length = 1 + round(36 * (math.log(after[sweep]) - low) / max(high - low, 1e-9))
        table.add_row(f"{sweep:,}", f"{after[sweep]:.4f}", Text("━" * length, style="cyan"))
    return table
