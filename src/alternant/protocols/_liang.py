"""Strong generalisation of Liang et al. 2018 (arXiv:1802.05814): users who are new, by their fold-in part."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from alternant.als import ImplicitALS
from alternant.errors import DataError
from alternant.evaluation import Report, evaluate
from alternant.interactions import Interactions
from alternant.protocols._files import pairs
from alternant.splitting import predefined_split


def liang(
    train: str | os.PathLike[str],
    history: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    estimator: Any = None,
    metrics: Iterable[str] = ("ndcg@100", "truncated_recall@20", "truncated_recall@50"),
    baselines: Sequence[Any] = ("popularity",),
    n_threads: int | None = None,
) -> Report:
    """Fit to the training users, fold the others in from `history`, and look for their `target`.

    What the paper calls Recall@k divides by min(k, items in the target): ``truncated_recall`` here.

    Parameters
    ----------
    train, history, target : paths
        ``train.csv``, ``test_tr.csv`` and ``test_te.csv`` of its published preprocessing: a user and an item
        on each line, integers, with or without a header.
    estimator : default ``ImplicitALS()``
    metrics, baselines, n_threads : as in :func:`alternant.evaluation.evaluate`

    Returns
    -------
    Report

    Raises
    ------
    DataError
        A file that is not like this, a user of `history` in `train`, or a pair that is in two files.
    OSError
        A file cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name, text in (("train", "0,0\\n0,1\\n1,1\\n1,2\\n"), ("tr", "9,0\\n"), ("te", "9,1\\n")):
    ...     _ = (folder / name).write_text("uid,sid\\n" + text)
    >>> report = liang(*(folder / name for name in ("train", "tr", "te")), estimator=ImplicitALS(n_factors=2))
    >>> report["ndcg@100"]
    1.0
    """
    parts = []
    for path in (train, target, history):
        users, items = pairs(path)
        if len(users) == 0:
            raise DataError(f"{os.fspath(path)} has no line of a user and an item")
        ones = np.ones(len(users), np.float32)
        parts.append(Interactions.from_arrays(users, items, ones))
    return evaluate(
        ImplicitALS() if estimator is None else estimator,
        predefined_split(parts[0], parts[1], history=parts[2]),
        metrics=metrics,
        baselines=baselines,
        n_threads=n_threads,
    )
