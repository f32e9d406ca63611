"""LightGCN and its like (He et al. 2020, arXiv:2002.02126): a train and a test text file."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from alternant.als import ImplicitALS
from alternant.errors import DataError
from alternant.evaluation import Report, evaluate
from alternant.interactions import Interactions
from alternant.protocols._files import adjacency
from alternant.splitting import predefined_split


def lightgcn(
    train: str | os.PathLike[str],
    test: str | os.PathLike[str],
    *,
    estimator: Any = None,
    metrics: Iterable[str] = ("recall@20", "ndcg@20", "precision@20"),
    baselines: Sequence[Any] = ("popularity",),
    n_threads: int | None = None,
) -> Report:
    """Fit to the train file and rank the whole catalogue, less each user's training items, for the test file.

    Recall is over all of a user's test items, NDCG with binary gains over its best possible value; both are
    averaged over the users who have test items.

    Parameters
    ----------
    train, test : paths
        On each line a user and the user's items, integers between spaces.
    estimator : default ``ImplicitALS()``
    metrics, baselines, n_threads : as in :func:`alternant.evaluation.evaluate`

    Returns
    -------
    Report

    Raises
    ------
    DataError
        A file that is not like this, or a pair that is in both files.
    OSError
        A file cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "train.txt").write_text("0 0 1 2\\n1 0 1\\n2 1 2\\n")
    >>> _ = (folder / "test.txt").write_text("1 2\\n2 0\\n")
    >>> report = lightgcn(folder / "train.txt", folder / "test.txt", estimator=ImplicitALS(n_factors=2))
    >>> report["recall@20"]
    1.0
    """
    parts = []
    for path in (train, test):
        users, items = adjacency(path)
        if len(users) == 0:
            raise DataError(f"{os.fspath(path)} has no line of a user and items")
        ones = np.ones(len(users), np.float32)
        parts.append(Interactions.from_arrays(users, items, ones))
    return evaluate(
        ImplicitALS() if estimator is None else estimator,
        predefined_split(*parts),
        metrics=metrics,
        baselines=baselines,
        n_threads=n_threads,
    )
