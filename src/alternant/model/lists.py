"""Ranked lists as text, and as columns: what recommendations and neighbours share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError

Titles = Mapping[int, str] | Mapping[str, str]

_ROWS_SHOWN = 20


def ranks(offsets: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return 1, 2, … within each list: int32, shape (offsets[-1],).

    Examples
    --------
    >>> ranks(np.array([0, 2, 2, 3])).tolist()
    [1, 2, 1]
    """
    positions = np.arange(1, int(offsets[-1]) + 1, dtype=np.int64)
    return (positions - np.repeat(offsets[:-1], np.diff(offsets))).astype(np.int32)


def title_column(labels: NDArray[Any], titles: Any) -> NDArray[np.object_]:
    """Return the title of each label: object (str), shape (n,); "" where `titles` has none.

    Examples
    --------
    >>> title_column(np.array([3, 7]), {7: "Seven"}).tolist()
    ['', 'Seven']
    """
    if not isinstance(titles, Mapping):
        raise DataError(f"titles must map item ids to titles, got {type(titles).__name__}; see read_titles")
    column = np.empty(len(labels), object)
    column[:] = [titles.get(label, "") for label in labels.tolist()]
    return column


def listed(
    labels: NDArray[Any], numbers: NDArray[np.float32], label_name: str, number_name: str
) -> list[str]:
    """Return one line per row, best first, under a heading; the first twenty only."""
    if len(labels) == 0:
        return ["  nothing left to list"]
    names = [str(label) for label in labels[:_ROWS_SHOWN].tolist()]
    values = [f"{number:.4f}" for number in numbers[:_ROWS_SHOWN].tolist()]
    name_width = max(len(label_name), *map(len, names))
    value_width = max(len(number_name), *map(len, values))
    lines = [f"  rank  {label_name:<{name_width}}  {number_name:>{value_width}}"]
    for rank, (name, value) in enumerate(zip(names, values, strict=True), start=1):
        lines.append(f"  {rank:>4}  {name:<{name_width}}  {value:>{value_width}}")
    if len(labels) > _ROWS_SHOWN:
        lines.append(f"  and {len(labels) - _ROWS_SHOWN:,} more")
    return lines
