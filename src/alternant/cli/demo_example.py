"""The first half of the demo: the 4 × 4 table, step by step."""

import math
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alternant.als import ExplicitALS
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
    careful = ExplicitALS().fit(table)
    completion = model.complete()
    known = completion.known

    shown_on.print("Four people rated some of four films; four cells are unknown:\n")
    shown_on.print(_ratings(completion, model))
    shown_on.print(
        "Alternating least squares looks for two numbers per user and two per film whose products come close to "
        "the known ratings:\n"
    )
    shown_on.print("  minimise  Σ (rating − user · film)²  +  0.1 · (Σ user² + Σ film²)\n", style="bold")
    shown_on.print(
        "With the films held still, each user is a small regression with one exact answer; with the users held "
        "still, each film is. One sweep does both, and neither half can raise the loss:\n"
    )
    shown_on.print(_losses(model))
    error = float(((completion.values[known] - _actual(completion)) ** 2).mean() ** 0.5)
    shown_on.print(
        f"Known ratings are met within {error:.2f} (RMSE). The products fill in the unknown cells:\n"
    )
    shown_on.print(_completed(completion, model))
    _judge(shown_on, model, careful, completion)


def _judge(shown_on: Console, model: FactorModel, careful: FactorModel, completion: Completion) -> None:
    cell = float(model.predict("user 1", "film 3"))
    shown_on.print(f"User 1 would give film 3 about {cell:.2f}: so-so, not a film to press on them.\n")
    strongest = max(
        (float(completion.values[u, i]), user, film)
        for u, user in enumerate(model.user_ids.labels)
        for i, film in enumerate(model.item_ids.labels)
        if not completion.known[u, i]
    )
    value, user, film = strongest
    shown_on.print(
        f"The strongest recommendation is {film} for {user}: {value:.2f}, beyond the top of the scale (5 when "
        "clipped), because a product of factors knows no scale.\n"
    )
    shown_on.print(
        f"How far to trust that? Not far. Twelve ratings are fitted with sixteen numbers; {user}'s are pinned down by "
        "three ratings, and the unknown cell is whatever those happen to imply. Both people who like film 1 gave film "
        f"4 a 1, and {user} gave it a 4. With the default settings, which are more careful (a bias for each user and "
        f"film, stronger shrinkage), the same cell is {float(careful.predict(user, film)):.2f}. This table shows how "
        "the method works; ratings by the thousand show whether it does.\n"
    )
    shown_on.print(
        "Starts matter, too: from some random starts the sweeps settle in another valley, at a loss of 22.07. The "
        "start used here, from the strongest directions of the table itself, finds the better one.",
        style="dim",
    )


def _actual(completion: Completion) -> object:
    return completion.known_values


def _ratings(completion: Completion, model: FactorModel) -> Table:
    raise NotImplementedError


def _losses(model: FactorModel) -> Table:
    """Return the loss after some of the sweeps, with bars on a logarithmic scale."""
    after = {entry.sweep: entry.objective for entry in model.trace if entry.side == "items"}
    shown = [sweep for sweep in _SHOWN_SWEEPS if sweep in after]
    low, high = math.log(min(after.values())), math.log(after[shown[0]])
    table = Table(box=None, padding=(0, 2), show_header=True, header_style="dim")
    table.add_column("sweep", justify="right")
    table.add_column("loss", justify="right")
    table.add_column("(logarithmic)", no_wrap=True)
    for sweep in shown:
        length = 1 + round(30 * (math.log(after[sweep]) - low) / max(high - low, 1e-9))
        table.add_row(f"{sweep:,}", f"{after[sweep]:.4f}", Text("━" * length, style="cyan"))
    return table


def _grid(model: FactorModel) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2))
    table.add_column("")
    for film in model.item_ids.labels:
        table.add_column(film, justify="right")
    return table


def _completed(completion: Completion, model: FactorModel) -> Sequence[object]:
    raise NotImplementedError
