"""The entry: fit where there is an estimator, ask the model and the baselines, and report."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Literal

from alternant import _settings
from alternant.als import ExplicitALS, ImplicitALS
from alternant.errors import DataError
from alternant.evaluation._asked import Asked, asked
from alternant.evaluation._asking import AskedModel, check_not_trained_on
from alternant.evaluation._report import Report
from alternant.evaluation._summary import differences_of, drawn_measures, rows_of
from alternant.evaluation._testing import Test
from alternant.evaluation.baselines import Biases, ItemKNN, Mean, Popularity, Random
from alternant.evaluation.baselines._fitted import Fitted
from alternant.model import FactorModel
from alternant.splitting import Split

_KNN_COST = 3e8  # a few seconds
_BASELINES: dict[str, Any] = {
    "mean": Mean,
    "biases": Biases,
    "popularity": Popularity,
    "random": Random,
    "item-knn": ItemKNN,
}


def evaluate(
    model: Any,
    split: Split,
    *,
    metrics: str | Iterable[str] | None = None,
    k: int = 20,
    baselines: Literal["auto"] | Sequence[Any] = "auto",
    relevant_from: float | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
    name: str | None = None,
    n_threads: int | None = None,
) -> Report:
    """Measure a model on the test part of a split, beside baselines that any model should beat.

    Lists hold the best items of the whole catalogue that the user has no training entry of. Users of the
    split's history are folded in from it. Every user of the test part counts, and every rating: of one whom
    the model does not know, the list is the most popular items, and the prediction what is known (the mean,
    the item's bias); the slices say what such users and entries did.

    Parameters
    ----------
    model : FactorModel, or an estimator
        An estimator (ExplicitALS, ImplicitALS, a baseline) is fitted to ``split.train``. A model must not
        have seen entries of the test part.
    split : Split
    metrics : names, optional
        Of `RANKING_METRICS` and `CATALOGUE_METRICS` with the length of the list as in "ndcg@20" (else `k`),
        and of `RATING_METRICS`. None: "rmse", "mae" and "r_squared" of ratings, a choice of those of lists
        of implicit data. Models are compared by the first.
    k : int, default 20
    baselines : "auto", or names or estimators
        Names are "mean", "biases", "popularity", "random", "item-knn". "auto": those that can be asked for
        the metrics, "item-knn" where it takes seconds.
    relevant_from : float, optional
        Of lists: test entries of at least this value are relevant. None: all, of implicit data those above 0.
    level : float, default 0.95
        How often intervals are to hold the value.
    n_resamples : int, default 1000
        Of users, for intervals and p.
    seed : integer in [0, 2^64)
        Of the resamples and of "random".
    name : what the report calls the model; by default its estimator's name
    n_threads : int, optional

    Returns
    -------
    Report

    Raises
    ------
    DataError
        An unknown metric; errors of ratings asked of an implicit model; nothing relevant in the test part; a
        model that was trained on entries of it; a setting out of range.

    Examples
    --------
    >>> from alternant import ImplicitALS
    >>> from alternant.splitting import leave_last_out
    >>> from alternant.synthetic import catalogue
    >>> plays = catalogue(n_users=200, n_items=100, n_entries=4000).interactions
    >>> report = evaluate(ImplicitALS(n_factors=8), leave_last_out(plays), metrics="recall@10")
    >>> report["recall@10"] > report.row("recall@10", "random").value
    True
    """
    if not isinstance(split, Split):
        raise DataError(
            f"split must be a Split, got {type(split).__name__}; make it with alternant.splitting, such as "
            "leave_last_out(interactions)"
        )
    if split.test.n_entries == 0:
        raise DataError("the test part of the split is empty: there is nothing to measure")
    level = _settings.number("level", level, "a number between 0 and 1", lambda x: 0 < x < 1)
    n_resamples = _settings.integer("n_resamples", n_resamples, 1)
    seed = _settings.integer("seed", seed, 0, 2**64 - 1)
    implicit = _is_implicit(model)
    wanted = asked(metrics, k, implicit=implicit)
    others = _baselines(baselines, wanted, split, seed)
    own = _named(model) if name is None else name
    begin = time.perf_counter()
    fitted, split, seconds = _fitted(model, split, own, n_threads)
    models: list[Fitted] = [fitted, *(estimator.fit(split.train) for estimator in others)]
    if len({each.name for each in models}) < len(models):
        raise DataError(f"models must have different names, got {', '.join(each.name for each in models)}")
    test = Test(split, wanted, relevant_from, implicit=implicit)
    measured = [test.of(each, n_threads) for each in models]
    drawn = drawn_measures(measured, n_resamples, seed)
    facts = {
        "split": split.how,
        "training entries": split.train.n_entries,
        "history entries": None if split.history is None else split.history.n_entries,
        "test entries": split.test.n_entries,
        "users measured": len(test.users),
        "cold users": split.n_cold_users,
        "cold items": split.n_cold_items,
        "test entries of cold users or items": split.n_cold_entries,
        "relevant from": relevant_from,
        "settings": _settings_of(model),
        "seconds of the fit": seconds,
        "seconds in all": time.perf_counter() - begin,
        "level": level,
        "resamples": n_resamples,
        "seed": seed,
    }
    return Report(
        fitted.name,
        rows_of(models, measured, drawn, level),
        differences_of(models, measured, drawn, wanted, level, n_resamples, seed),
        test.slices(models, measured),
        facts,
        split.train.user_ids.decode(test.users),
        {
            each.name: {one.name: one.values for one in found.per_user}
            for each, found in zip(models, measured, strict=True)
        },
    )


def measure(
    model: Any,
    split: Split,
    metrics: str | Iterable[str] = ("ndcg@20",),
    *,
    relevant_from: float | None = None,
    n_threads: int | None = None,
) -> dict[str, float]:
    """Return the bare values of :func:`evaluate`, by metric: no baselines, no intervals.

    Examples
    --------
    >>> from alternant import ExplicitALS
    >>> from alternant.splitting import random_split
    >>> from alternant.synthetic import catalogue
    >>> ratings = catalogue(n_users=100, n_items=50, n_entries=2000).interactions
    >>> list(measure(ExplicitALS(n_factors=4), random_split(ratings), ["rmse", "mae"]))
    ['rmse', 'mae']
    """
    implicit = _is_implicit(model)
    wanted = asked(metrics, 20, implicit=implicit)
    fitted, split, _ = _fitted(model, split, _named(model), n_threads)
    found = Test(split, wanted, relevant_from, implicit=implicit).of(fitted, n_threads)
    return {one.name: one.over() for one in found.per_user} | found.catalogue


def _fitted(model: Any, split: Split, name: str, n_threads: int | None) -> tuple[Fitted, Split, float | None]:
    """Return what can be asked, the split with the ids of the model, and how long a fit took."""
    seconds = None
    if not isinstance(model, FactorModel):
        begin = time.perf_counter()
        found = model.fit(split.train)
        seconds = time.perf_counter() - begin
        if not isinstance(found, FactorModel):
            return found, split, seconds
        model = found
    else:
        check_not_trained_on(model, split)
        split = _with_items_of(model, split)
    return AskedModel(model, split, name, n_threads=n_threads), split, seconds


def _with_items_of(model: FactorModel, split: Split) -> Split:
    """Return the split with the items that only the model knows, which take places in its lists."""
    if model.item_ids == split.train.item_ids or model.item_ids.kind != split.train.item_ids.kind:
        return split
    labels = model.item_ids.labels
    grown = [
        None if part is None else part.grown(item_labels=labels)
        for part in (split.train, split.test, split.history, split.unused)
    ]
    train, test, history, unused = grown
    if train is None or test is None:
        raise DataError("a split has a training and a test part")
    return Split(train, test, history, unused, split.how)


def _is_implicit(model: Any) -> bool:
    if isinstance(model, FactorModel):
        return model.problem.kind == "implicit"
    if not callable(getattr(model, "fit", None)):
        raise DataError(f"expected a FactorModel or an estimator with fit, got {type(model).__name__}")
    return isinstance(model, ImplicitALS | Popularity | Random | ItemKNN)


def _named(model: Any) -> str:
    if isinstance(model, FactorModel):
        return str(model.settings.get("estimator", "model"))
    return type(model).__name__


def _settings_of(model: Any) -> str | None:
    """Return the settings that are not the defaults, of an estimator or of the one that made a model."""
    kinds: dict[str, type[ExplicitALS | ImplicitALS]] = {
        "ExplicitALS": ExplicitALS,
        "ImplicitALS": ImplicitALS,
    }
    kind = kinds.get(_named(model))
    if kind is None:
        return None
    plain, names = kind(), [each.name for each in fields(kind)]
    if isinstance(model, FactorModel):
        given = {name: model.settings[name] for name in names if name in model.settings}
    else:
        given = {name: getattr(model, name) for name in names}
    changed = [f"{name}={value!r}" for name, value in given.items() if value != getattr(plain, name)]
    return f"{kind.__name__}({', '.join(changed)})"


def _baselines(given: Any, wanted: Asked, split: Split, seed: int) -> list[Any]:
    if isinstance(given, str) and given != "auto":
        given = [given]
    if not isinstance(given, str):
        found = []
        for each in given:
            if isinstance(each, str):
                if each not in _BASELINES:
                    raise DataError(f"no baseline {each!r}; expected one of {', '.join(_BASELINES)}")
                found.append(Random(seed=seed) if each == "random" else _BASELINES[each]())
            elif callable(getattr(each, "fit", None)) and not isinstance(each, FactorModel | type):
                found.append(each)
            else:
                raise DataError(f"a baseline must be a name or an estimator, got {each!r}")
        return found
    usual: list[Any] = [Mean(), Biases()] if wanted.ratings else []
    if wanted.ranks:
        usual += [Popularity(), Random(seed=seed)]
        if ItemKNN().cost(split.train) <= _KNN_COST:
            usual.append(ItemKNN())
    return usual
