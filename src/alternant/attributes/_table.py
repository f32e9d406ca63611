"""Read a table of attributes: which column holds the ids, whose each row is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column
from alternant._frames import read_columns
from alternant._usual_names import closest, plain
from alternant.errors import DataError
from alternant.ids import IdMap

What = Literal["user", "item"]
_LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True, eq=False)
class RowIds:
    """Whose the rows of a table are, each id once.

    Attributes
    ----------
    what : "user" or "item"
    labels : the column of ids
    distinct, codes : the ids as a map, and each row's position in it: int32, shape (n,)
    """

    what: str
    labels: Column
    distinct: IdMap
    codes: NDArray[np.int32]

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.codes)

    def label(self, row: int) -> int | str:
        """Return the id of `row`."""
        label: int | str = self.distinct.decode([self.codes[row]]).tolist()[0]
        return label

    def positions(self, ids: IdMap) -> NDArray[np.int32]:
        """Return the position of each row in `ids`, -1 where it has none: int32, shape (n,)."""
        return ids.encode(self.labels, what=self.what, unknown="mark")


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a table of attributes: `id_column` is the name of its ids, `columns` are the others."""

    ids: RowIds
    id_column: str
    columns: Mapping[str, Column]


def id_column_of(names: Iterable[object], what: What) -> str | None:
    """Return the one of `names` that looks like the ids of users or items, or None.

    A usual name (``movieId``, ``item_id``, …); and ``id`` rather than one that does not end so, since in a
    table of songs ``artist`` is hardly the id.

    Examples
    --------
    >>> id_column_of(["movieId", "title"], "item"), id_column_of(["id", "artist"], "item")
    ('movieId', 'id')
    """
    known = [name for name in names if isinstance(name, str)]
    found = closest(what, known)
    if found is not None and plain(found).endswith("id"):
        return found
    return next((name for name in known if plain(name) == "id"), found)


def row_ids(labels: Column, *, what: What, remedy: str) -> RowIds:
    """Return whose the rows are, or refuse ids that are null, of a wrong type, or there twice."""
    distinct, codes = IdMap.from_labels(labels, what=what)
    if len(distinct) != len(codes):
        counts = np.bincount(codes)
        first = int((counts > 1).argmax())
        label = distinct.decode([first]).tolist()[0]
        raise DataError(
            f"each {what} may have one row of attributes, got {counts[first]} of {label!r}; {remedy}"
        )
    return RowIds(what, labels, distinct, codes)


def read_table(
    frame: Any, *, what: What, id_column: str | None = None, names: Sequence[str] | None = None
) -> Table:
    """Read the ids and the columns `names` of a frame, in the frame's order; None: all but the ids."""

    def chosen(known: list[Any]) -> dict[str, str]:
        odd = [name for name in known if not isinstance(name, str)]
        if odd:
            raise DataError(
                f"the columns of attributes must have strings as names, got {odd[0]!r}; rename it"
            )
        label = id_column_of(known, what) if id_column is None else id_column
        if label is None:
            listed = ", ".join(map(repr, known[:20])) or "none"
            raise DataError(
                f"no column looks like the {what} id; the columns of the frame are {listed}: "
                "name one with id_column= of AttributeTable"
            )
        if names is not None and label in names:
            raise DataError(f"column {label!r} holds the {what} ids and cannot be an attribute")
        wanted = [name for name in known if name != label] if names is None else names
        ordered = [name for name in known if name in set(wanted)]
        missing = [name for name in wanted if name not in set(known)]  # refused, with what there is
        return {"id": label} | {f"attribute {i}": name for i, name in enumerate([*missing, *ordered])}

    if isinstance(frame, Mapping):
        frame = {name: _boxed(column) for name, column in frame.items()}
    columns = read_columns(frame, chosen)
    label, *others = columns
    remedy = f"keep one of them, or name another column than {label!r} with id_column= of AttributeTable"
    ids = row_ids(columns[label], what=what, remedy=remedy)
    for name in others:
        if columns[name].n != ids.n:
            raise DataError(f"column {name!r} must have {ids.n} rows as {label!r}, got {columns[name].n}")
    return Table(ids, label, {name: columns[name] for name in others})


def _boxed(column: Any) -> Any:
    """Return a sequence of lists as an array of objects, which NumPy would make a matrix of, or refuse."""
    if not isinstance(column, list | tuple) or not any(isinstance(value, _LISTS) for value in column):
        return column
    boxed = np.empty(len(column), dtype=object)
    for row, value in enumerate(column):
        boxed[row] = value
    return boxed
