"""Leave-one-out among sampled negatives of He et al. 2017 (arXiv:1708.05031), from its files."""

import os
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from alternant.als import ImplicitALS
from alternant.errors import DataError
from alternant.evaluation import Report, report_of
from alternant.ids import IdMap
from alternant.interactions import Interactions
from alternant.metrics import sampled_metrics
from alternant.protocols._files import negatives, pairs


def he(
    train: str | os.PathLike[str],
    negative: str | os.PathLike[str],
    *,
    test: str | os.PathLike[str] | None = None,
    estimator: Any = None,
    metrics: Iterable[str] = ("sampled_hit_rate@10", "sampled_ndcg@10"),
    n_threads: int | None = None,
) -> Report:
    """Fit to the train file and rank each user's left-out item among the negatives that were sampled for it.

    HR@10 and NDCG@10 of the paper. They do not estimate the numbers of the whole catalogue, and can order
    models otherwise (Krichene and Rendle 2020, doi:10.1145/3394486.3403226), as a warning says. Where scores
    are equal, the smaller item goes first.

    Parameters
    ----------
    train : path
        ``….train.rating``: a user, an item and whatever else on each line.
    negative : path
        ``….test.negative``: ``(user,item)`` and the negatives on each line.
    test : path, optional
        ``….test.rating``, to check that it names the same pairs as `negative`.
    estimator : default ``ImplicitALS()``
    metrics : names
    n_threads : int, optional

    Returns
    -------
    Report

    Raises
    ------
    DataError
        A file that is not like this, files that do not go together, or a test pair that is in `train`.
    OSError
        A file cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile, warnings
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "train").write_text("0\\t0\\t5\\t1\\n0\\t1\\t5\\t2\\n1\\t1\\t4\\t1\\n2\\t2\\t4\\t1\\n")
    >>> _ = (folder / "negative").write_text("(1,0)\\t2\\n")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     report = he(folder / "train", folder / "negative", estimator=ImplicitALS(n_factors=2))
    >>> report["sampled_hit_rate@10"]
    1.0
    """
    begin = time.perf_counter()
    users, items = pairs(train)
    if len(users) == 0:
        raise DataError(f"{os.fspath(train)} has no line of a user and an item")
    asked, wanted, others = negatives(negative)
    if test is not None:
        _check_same(test, asked, wanted, negative)
    user_ids, _ = IdMap.from_labels(np.union1d(users, asked), what="user")
    item_ids, _ = IdMap.from_labels(np.unique(np.concatenate([items, wanted, others.ravel()])), what="item")
    both = np.unique(np.stack([users, items], axis=1), axis=0)
    interactions = Interactions.from_arrays(
        both[:, 0], both[:, 1], np.ones(len(both), np.float32), user_ids=user_ids, item_ids=item_ids
    )
    learned = both[:, 0] * (1 << 32) + both[:, 1]
    n_both = int(np.count_nonzero(np.isin(asked * (1 << 32) + wanted, learned)))
    if n_both:
        raise DataError(f"{n_both:,} of the {len(asked):,} test pairs are in {os.fspath(train)}")
    fitted = (ImplicitALS() if estimator is None else estimator).fit(interactions)
    n = others.shape[1]
    own = np.asarray(fitted.score(asked, wanted, n_threads=n_threads))
    scores = np.asarray(fitted.score(np.repeat(asked, n), others.ravel(), n_threads=n_threads))
    found = sampled_metrics(
        own, scores.reshape(-1, n), metrics=metrics, relevant_first=wanted[:, None] < others
    )
    return report_of(
        str(fitted.settings.get("estimator", "model")),
        found,
        user_id=asked,
        facts={
            "protocol": f"leave one out, among {n} sampled negatives: no estimate for the whole catalogue",
            "training entries": interactions.n_entries,
            "users measured": len(asked),
            "seconds in all": time.perf_counter() - begin,
        },
    )


def _check_same(test: Any, asked: Any, wanted: Any, negative: Any) -> None:
    users, items = pairs(test)
    if sorted(zip(users.tolist(), items.tolist(), strict=True)) != sorted(
        zip(asked.tolist(), wanted.tolist(), strict=True)
    ):
        raise DataError(
            f"{os.fspath(test)} and {os.fspath(negative)} do not name the same pairs of user and item"
        )
