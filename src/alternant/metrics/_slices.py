"""Groups of users and of items, and what a model is worth to each."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.errors import DataError
from alternant.metrics._lists import find_hits


class Groups(NamedTuple):
    """of : int64, shape (n,), the group of each row, −1 for one left out; labels : what each group holds."""

    of: NDArray[np.int64]
    labels: tuple[str, ...]


def quantile_groups(counts: NDArray[np.int64], *, n_groups: int = 4, chosen: NDArray[np.bool_]) -> Groups:
    """Group rows by how many entries they have: those without, and quantiles of the others.

    Rows of the same count are in the same group, so that there may be fewer groups, and uneven ones.

    Parameters
    ----------
    counts : int64, shape (n,)
    n_groups : int, for the rows with entries
    chosen : bool, shape (n,), the rows that are grouped and whose quantiles count

    Examples
    --------
    >>> import numpy as np
    >>> quantile_groups(np.array([0, 1, 1, 9]), n_groups=2, chosen=np.ones(4, bool))
    Groups(of=array([0, 1, 1, 2]), labels=('0', '1', '9'))
    """
    n_groups = _settings.integer("n_groups", n_groups, 1)
    if counts.shape != chosen.shape:
        raise DataError(f"chosen must have shape {counts.shape}, got {chosen.shape}")
    of = np.full(len(counts), -1, np.int64)
    labels: list[str] = []
    none = chosen & (counts == 0)
    if none.any():
        of[none] = 0
        labels.append("0")
    some = chosen & (counts > 0)
    if some.any():
        ordered = np.sort(counts[some])
        cuts = ordered[len(ordered) * np.arange(1, n_groups) // n_groups]
        raw = np.searchsorted(np.unique(cuts), counts[some], side="left")
        present, numbers = np.unique(raw, return_inverse=True)
        of[some] = numbers + len(labels)
        for number in range(len(present)):
            inside = counts[some][numbers == number]
            low, high = int(inside.min()), int(inside.max())
            labels.append(f"{low:,}" if low == high else f"{low:,}–{high:,}")
    return Groups(of, tuple(labels))


def recall_of_groups(
    list_offsets: NDArray[np.int64],
    list_items: NDArray[np.int32],
    relevant_offsets: NDArray[np.int64],
    relevant_items: NDArray[np.int32],
    *,
    k: int,
    n_items: int,
    group_of_item: NDArray[np.int64],
    n_groups: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return of each group of items which share of its relevant pairs is found within k places.

    Returns
    -------
    recall : float64, shape (n_groups,), NaN for a group without relevant pairs
    n_relevant : int64, shape (n_groups,)

    Examples
    --------
    >>> import numpy as np
    >>> lists = np.array([0, 1]), np.array([1])
    >>> relevant = np.array([0, 2]), np.array([1, 2])
    >>> groups = np.array([0, 0, 1])
    >>> recall_of_groups(*lists, *relevant, k=1, n_items=3, group_of_item=groups, n_groups=2)
    (array([1., 0.]), array([1, 1]))
    """
    hits = find_hits(list_offsets, list_items, relevant_offsets, relevant_items, n_items=n_items)
    groups = group_of_item[np.asarray(relevant_items)]
    n_relevant = np.bincount(groups, minlength=n_groups)
    found = np.bincount(groups[hits.relevant[hits.within(k)]], minlength=n_groups)
    with np.errstate(invalid="ignore"):
        return found / n_relevant, n_relevant
