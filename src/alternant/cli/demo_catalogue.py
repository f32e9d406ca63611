"""The second half of the demo: a generated catalogue, judged on ratings that were held out."""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from alternant import metrics
from alternant.als import ExplicitALS
from alternant.cli import output
from alternant.cli.progress import follow
from alternant.interactions import Interactions
from alternant.model import FactorModel
from alternant.splitting import random_split
from alternant.synthetic import Catalogue, catalogue

_SHOWN = 8
_BIAS_RIDGE = 3.0
_BIAS_PASSES = 20


def show(shown_on: Console, *, seed: int, save: Path | None) -> None:
    """Generate a catalogue, fit it with the default settings, and show how good the predictions are."""
    made = catalogue(seed=seed)
    split = random_split(made.interactions, test_fraction=0.1, seed=seed)
    shown_on.print(
        "Now a catalogue as it might be, generated with tastes planted in it: everybody likes some "
        "of eight genres "
        "more than others, a few films are rated by hundreds and most by few, and chance has its say.\n"
    )
    shown_on.print(f"{made.interactions.summary()}\n", style="bold")
    shown_on.print(
        "A tenth of the ratings is put aside, and a model is fitted to the rest with default settings:\n"
    )
    estimator = ExplicitALS(seed=seed)
    with follow(estimator.n_sweeps, to=shown_on) as callback:
        model = estimator.fit(split.train, callback=callback)
    if model.stopped.startswith("interrupted"):
        raise KeyboardInterrupt
    whole = [entry for entry in model.trace if entry.side == "items"]
    shown_on.print(
        f"    {model.n_factors} factors, {len(whole)} sweeps, {whole[-1].seconds:.1f} s; "
        f"objective {whole[0].objective:,.0f} → {whole[-1].objective:,.0f}\n",
        style="bold",
    )
    shown_on.print("How far off are its predictions of the ratings that it has not seen?")
    shown_on.print(_errors(made, split.train, split.test, model))
    _show_user(shown_on, made, split.train, model)
    if save is not None:
        _save(shown_on, made, model, save)


def _errors(made: Catalogue, train: Interactions, test: Interactions, model: FactorModel) -> Table:
    users, items, actual = _columns(test)
    seen_users, seen_items, seen = _columns(train)
    mean = float(seen.mean(dtype=np.float64))
    biases = _bias_predictions((seen_users, seen_items, seen - mean), (users, items), made.interactions)
    rows = (
        ("the mean of all ratings", np.full(len(actual), mean), ""),
        ("a bias of each user and film", np.clip(mean + biases, 1, 5), ""),
        ("this model", model.predict(users + 1, items + 1, clip=True), "bold green"),
        ("what was planted (the floor)", made.expected(users + 1, items + 1), "dim"),
    )
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("predicting by", no_wrap=True)
    table.add_column("RMSE", justify="right", no_wrap=True)
    table.add_column("")
    for words, predicted, style in rows:
        error = metrics.rmse(predicted, actual)
        table.add_row(words, f"{error:.3f}", "━" * round(36 * error), style=style)
    return table


def _bias_predictions(
    train: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]],
    pairs: tuple[NDArray[np.int32], NDArray[np.int32]],
    ids: Interactions,
) -> NDArray[np.float64]:
    """Return b_u + b_i, the biases of ridge regression on the residuals in `train`, by alternating passes."""
    users, items, residual = train
    user_bias, item_bias = np.zeros(ids.n_users), np.zeros(ids.n_items)
    for _ in range(_BIAS_PASSES):
        user_bias = _means(users, residual - item_bias[items], ids.n_users)
        item_bias = _means(items, residual - user_bias[users], ids.n_items)
    return user_bias[pairs[0]] + item_bias[pairs[1]]


def _means(index: NDArray[np.int32], values: NDArray[np.floating], n: int) -> NDArray[np.float64]:
    return np.bincount(index, values, n) / (np.bincount(index, minlength=n) + _BIAS_RIDGE)


def _show_user(shown_on: Console, made: Catalogue, train: Interactions, model: FactorModel) -> None:
    user = _telling_user(made, train)
    index = user - 1
    rows = train.by_user.block(index, index + 1)
    films = rows.indices + 1
    stars = np.zeros(len(films)) if rows.values is None else rows.values
    liked = films[np.argsort(-stars, kind="stable")][:_SHOWN]
    by_film = dict(zip(films.tolist(), stars.tolist(), strict=True))
    top = model.recommend([user], _SHOWN)
    planted = made.expected(np.full(len(top.item_id), user), top.item_id)
    predicted = model.predict(user, top.item_id, clip=True)
    everything = made.expected(
        np.full(made.interactions.n_items, user), np.arange(made.interactions.n_items) + 1
    )

    shown_on.print(
        f"User {user} rated {len(films)} films (picked because the taste is easy to see). On the left "
        "what they liked "
        "most; on the right what the model recommends, none of it seen by them:"
    )
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), expand=True)
    table.add_column("stars", justify="right", no_wrap=True)
    table.add_column("they liked", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("recommended", ratio=1, no_wrap=True, overflow="ellipsis", style="bold green")
    table.add_column("guess", justify="right", no_wrap=True)
    table.add_column("truth", justify="right", no_wrap=True, style="dim")
    for film, other, star, truth in zip(
        liked.tolist(), top.item_id.tolist(), predicted.tolist(), planted.tolist(), strict=False
    ):
        table.add_row(
            f"{by_film[film]:.1f}", made.titles[film], made.titles[other], f"{star:.2f}", f"{truth:.2f}"
        )
    shown_on.print(table)
    shown_on.print(
        "The guess is the model's, the truth what this user would give on average, as the generator "
        "knows and "
        f"the model does not: {planted.mean():.2f} for these {len(planted)} films, {everything.mean():.2f} "
        "over the whole catalogue.\n"
    )


def _telling_user(made: Catalogue, train: Interactions) -> int:
    """Return the id of the user with 40 to 120 ratings whose best-rated films are most of one genre."""
    best, most = 1, -1.0
    for index in np.flatnonzero((train.by_user.counts >= 40) & (train.by_user.counts <= 120)).tolist():
        rows = train.by_user.block(index, index + 1)
        if rows.values is None:
            continue
        liked = rows.indices[np.argsort(-rows.values, kind="stable")][:_SHOWN] + 1
        [(_, count)] = Counter(made.genres[film][0] for film in liked.tolist()).most_common(1)
        if count > most:
            best, most = index + 1, count
    return best


def _columns(part: Interactions) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    entries = part.entries()
    values = np.ones(len(entries.user_index), np.float32) if entries.values is None else entries.values
    return entries.user_index, entries.item_index, values


def _save(shown_on: Console, made: Catalogue, model: FactorModel, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    users, items, ratings = _columns(made.interactions)
    columns = {"userId": users + 1, "movieId": items + 1, "rating": ratings}
    output.write(columns, format="csv", output=folder / "ratings.csv")
    films = {
        "movieId": np.array(list(made.titles)),
        "title": np.array(list(made.titles.values()), dtype=object),
        "genres": np.array(["|".join(pair) for pair in made.genres.values()], dtype=object),
    }
    output.write(films, format="csv", output=folder / "movies.csv")
    model.save(folder / "model.safetensors")
    shown_on.print(f"Saved in {folder}. To go on:\n")
    shown_on.print(
        f"    alternant recommend {folder / 'model.safetensors'} --user 1 --titles {folder / 'movies.csv'}\n"
        f"    alternant similar {folder / 'model.safetensors'} --item 1 --titles {folder / 'movies.csv'}\n"
        f"    alternant fit {folder / 'ratings.csv'} -o another.safetensors --n-factors 16\n",
        style="bold",
        soft_wrap=True,
    )
