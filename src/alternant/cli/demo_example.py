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
_SHOWN_SWEEPS = (1, 2, 3, 5, 10, 20, 50, 100, 3000)


def show(shown_on: Console) -> None:
    """Fit the table with the formula of the introduction and show each step."""
    table = example()
    model = SETTINGS.fit(table)
    completion = model.complete()
    ratings = _dense(table)
    users, films = table.user_ids.labels.tolist(), table.item_ids.labels.tolist()

    shown_on.print("Four people have rated some of four films. What would they say of the others?")
    shown_on.print(_grid(users, films, [[_rating(cell) for cell in row] for row in ratings.tolist()]))
    shown_on.print(
        "Alternating least squares looks for two numbers for each user and two for each film, such that "
        "their products come close to the known ratings and the numbers stay small:\n"
    )
    shown_on.print("    minimise  Σ (rating − user · film)²  +  0.1 (Σ user² + Σ film²)\n", style="bold")
    shown_on.print(
        "Hold the films still, and the best numbers of each user are a small regression with one exact "
        "answer. Then hold the users still and do the films. That is one sweep, and neither half of it can "
        "raise the loss:\n"
    )
    shown_on.print(_losses(model))
    error = math.sqrt(np.nanmean((completion.values - ratings) ** 2))
    shown_on.print(
        f"\nThe twelve known ratings are now met within {error:.2f} (RMSE), and the products fill in "
        "the four "
        "unknown ones (marked):"
    )
    shown_on.print(_grid(users, films, _filled(completion, ratings)))
    _judge(shown_on, table, model)


def _judge(shown_on: Console, table: Interactions, model: FactorModel) -> None:
    wanted = model.predict("user 1", "film 3")
    shown_on.print(
        f"User 1 would give film 3 a {wanted:.2f}. That is less than the 3 they give on average: nothing to "
        "recommend.\n"
    )
    unknown = np.where(np.isnan(_dense(table)), model.complete().values, -np.inf)
    u, i = np.unravel_index(int(np.argmax(unknown)), unknown.shape)
    user, film = table.user_ids.labels[u], table.item_ids.labels[i]
    shown_on.print(
        f"The strongest recommendation is {film} for {user}, at {unknown[u, i]:.2f}. The scale ends "
        "at 5, but "
        "the products know nothing of a scale; clipped, it is 5.\n"
    )
    careful = ExplicitALS().fit(table).predict(user, film)
    shown_on.print(
        "How far would you trust that? Twelve ratings are met by sixteen numbers, so much is fitted and "
        f"little is learnt: {user} gave each of three films more than users 1 and 2 did, who like "
        f"{film}, and "
        "the products carry that on. The default settings, made for real data, hold the numbers so small "
        f"here that only the averages of users and films are left; for them this cell is {careful:.2f}. So "
        "small a table shows how the method works, not how well.\n"
    )
    shown_on.print(
        "The start matters, too: a few random starts in a hundred end at a loss of 22.07 and stay there. "
        "This run started from the strongest directions of the table itself."
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
    """Return the loss after some of the sweeps, with bars for the logarithm of what is left to gain."""
    after = {entry.sweep: entry.objective for entry in model.trace if entry.side == "items"}
    shown = [sweep for sweep in _SHOWN_SWEEPS if sweep in after]
    end = min(after.values())
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("sweep", justify="right")
    table.add_column("loss", justify="right")
    table.add_column("left to gain (logarithmic)")
    for sweep in shown:
        gain = after[sweep] - end
        length = round(7 * max(0.0, math.log10(gain / 1e-4))) if gain > 0 else 0
        table.add_row(f"{sweep:,}", f"{after[sweep]:.4f}", Text("━" * length, style="cyan"))
    return table
