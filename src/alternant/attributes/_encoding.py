"""From a table of attributes to sparse rows of features, the same way for every table."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column
from alternant._settings import choice, integer
from alternant.attributes._choices import AttributeTable, frame_of
from alternant.attributes._column import KINDS, AttributeColumn, AttributeKind
from alternant.attributes._features import entry_rows, features_of
from alternant.attributes._fitting import LeftOut, Wish, fit_column
from alternant.attributes._matrix import AttributeMatrix
from alternant.attributes._table import RowIds, What, read_table
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows

_log = logging.getLogger("alternant.attributes")


@dataclass(frozen=True)
class AttributeEncoding:
    """What the columns of a table of attributes become, as :meth:`fit` found.

    Attributes
    ----------
    id_column : str or None
        The column of the ids; None where the attributes came as an :class:`AttributeMatrix`.
    columns : tuple of AttributeColumn
        In the order of the table; their features follow each other in it. There is no constant feature.
    """

    id_column: str | None
    columns: tuple[AttributeColumn, ...]

    def __post_init__(self) -> None:
        if self.id_column is not None and not isinstance(self.id_column, str):
            raise DataError(f"the id column of attributes must be a string or None, got {self.id_column!r}")
        names = [column.name for column in self.columns]
        if not names:
            raise DataError("attributes must have at least one column")
        if len(set(names)) != len(names):
            raise DataError("the columns of attributes must have distinct names")
        if self.id_column is None and any(
            (column.kind, column.mean, column.scale) != ("numeric", 0, 1) for column in self.columns
        ):
            raise DataError("the columns of an attribute matrix must be numeric, of mean 0 and scale 1")

    @property
    def n_features(self) -> int:
        """The number of features."""
        return int(self._begins[-1])

    @cached_property
    def _begins(self) -> NDArray[np.int64]:
        """Where the features of each column begin, and the number of features."""
        begins = np.zeros(len(self.columns) + 1, dtype=np.int64)
        np.cumsum([column.n_features for column in self.columns], out=begins[1:])
        return begins

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each feature: ``"year"``, ``"genres=Comedy"``."""
        return tuple(name for column in self.columns for name in column.feature_names)

    # -- fitting ----------------------------------------------------------------------------------------

    @classmethod
    def fit(
        cls,
        frame: Any,
        *,
        what: What,
        ids: IdMap | None = None,
        id_column: str | None = None,
        columns: Mapping[str, AttributeKind | None] | Sequence[str] | None = None,
        min_count: int = 1,
    ) -> "AttributeEncoding":
        """Find out what each column of a table becomes.

        Booleans become 0 and 1. Integers, floats and times (as Unix seconds) are standardised. Strings are
        tags where one of them holds "|", as in ``"Comedy|Drama"``, else categories; lists are tags. A string
        (or tags) of more than 1,000 different texts, or of more than 20 that outnumber half of the rows, is
        taken for free text, such as a title, and left out with a warning in the log; so is a column of any
        other type. A column that says the same of every row is left out always. See
        :class:`AttributeColumn` for the features, and the logger ``alternant.attributes`` for what was
        decided.

        Parameters
        ----------
        frame : table (pandas, polars, pyarrow, Arrow's interface, dict of arrays), or AttributeMatrix
            A row for each user or item: its id and its attributes. Missing values are null or NaN. An
            AttributeMatrix is used as it is.
        what : {"user", "item"}
            Whose attributes they are.
        ids : IdMap or None
            Means, standard deviations and categories are those of the rows of these ids. Default: all rows.
        id_column : str or None
            The column of the ids. Default: the one with a usual name, such as ``movieId`` or ``id``.
        columns : mapping of str to kind, sequence of str, or None
            Which columns to use: as "numeric", "boolean", "categorical" or "tags", or (None, or a sequence)
            as what they look like. Default: all that can be used. Not with an AttributeMatrix.
        min_count : int
            Categories and tags of fewer rows have no feature.

        Returns
        -------
        AttributeEncoding

        Raises
        ------
        DataError
            Ids are missing, null, repeated or of another kind than `ids`; no row is of one of `ids`; a number
            is infinite; a column cannot be what `columns` says; or nothing is left to use.

        Examples
        --------
        >>> films = {"film": [1, 2, 3], "genres": ["Comedy|Drama", "Drama", ""], "year": [1990, 2000, 2010]}
        >>> AttributeEncoding.fit(films, what="item").feature_names
        ('genres=Comedy', 'genres=Drama', 'year')
        """
        if isinstance(frame, AttributeTable):
            return cls.fit(
                frame.frame,
                what=what,
                ids=ids,
                id_column=frame.id_column,
                columns=frame.columns,
                min_count=frame.min_count,
            )
        choice("what", what, ("user", "item"))
        integer("min_count", min_count, 1)
        wishes = _wishes(columns)
        if isinstance(frame, AttributeMatrix):
            if columns is not None or id_column is not None:
                raise DataError(
                    "columns and id_column are for tables, got an AttributeMatrix; choose among its columns"
                )
            row_ids = frame.row_ids(what)
            frame.cells(row_ids, _kept(row_ids, ids))  # refuses what is not finite
            return cls(None, tuple(AttributeColumn(name, "numeric") for name in frame.feature_names))
        table = read_table(
            frame, what=what, id_column=id_column, names=None if wishes is None else list(wishes)
        )
        keep = _kept(table.ids, ids)
        used, unused = [], []
        for name, column in table.columns.items():
            wish = Wish() if wishes is None else wishes[name]
            fitted = fit_column(name, column, table.ids, keep, wish, min_count=min_count)
            if isinstance(fitted, LeftOut):
                unused.append(fitted)
            else:
                used.append(fitted)
        if not used:
            reasons = "; ".join(f"{each.name!r} is left out, as {each.reason}" for each in unused[:3])
            more = f" (and {len(unused) - 3} more, in the log)" if len(unused) > 3 else ""
            raise DataError(
                f"no column of the {what} attributes can be used: "
                f"{f'{reasons}{more}' if unused else 'there is none beside the ids'}"
            )
        return cls(table.id_column, tuple(used))

    # -- encoding ---------------------------------------------------------------------------------------

    def encode(self, frame: Any, ids: IdMap, *, what: What) -> EntryRows:
        """Return the features of each of `ids`, as :meth:`fit` decided.

        Parameters
        ----------
        frame : table or AttributeMatrix
            As for :meth:`fit`, with all columns of this encoding; others are not looked at.
        ids : IdMap
            The ids that get a row, in their order.
        what : {"user", "item"}
            Whose attributes they are.

        Returns
        -------
        EntryRows
            ``n_rows = len(ids)``, ``n_columns = n_features``; values float32, without zeros. An id that is
            not in the frame has an empty row; rows of other ids, and categories without a feature, are
            left out and counted in the log.

        Raises
        ------
        DataError
            As from :meth:`fit`; or a column of this encoding is not in the frame, or cannot be read as its
            kind.

        Examples
        --------
        >>> encoding = AttributeEncoding.fit({"item": [1, 2], "genres": ["Comedy", "Drama"]}, what="item")
        >>> rows = encoding.encode({"item": [7], "genres": ["Drama"]}, IdMap.from_labels([7])[0], what="item")
        >>> rows.indices.tolist(), rows.values.tolist()
        ([1], [1.0])
        """
        choice("what", what, ("user", "item"))
        frame = frame_of(frame)
        row_ids, columns = self._read(frame, what, names=[column.name for column in self.columns])
        positions = row_ids.positions(ids)
        keep = positions >= 0
        if not keep.all():
            _log.info(
                "%d of %d rows of %s attributes are of ids that are not asked for, and left out",
                np.count_nonzero(~keep), len(keep), what,
            )  # fmt: skip
        if isinstance(frame, AttributeMatrix):
            rows, features, values = frame.cells(row_ids, keep)
        else:
            parts = [
                features_of(column, columns[column.name], row_ids, keep, begin)
                for column, begin in zip(self.columns, self._begins.tolist()[:-1], strict=True)
            ]
            rows, features, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        return entry_rows(positions[rows], features.astype(np.int32), values, len(ids), self.n_features)

    def new_ids(self, frame: Any, *, what: What = "item") -> NDArray[Any]:
        """Return the ids of a table, in its order: int64, or object (str), shape (n,).

        `what` is the word for messages.

        Examples
        --------
        >>> films = {"film": ["b", "a"], "year": [1990, 2000]}
        >>> AttributeEncoding.fit(films, what="item").new_ids({"film": ["c"]}).tolist()
        ['c']
        """
        row_ids, _ = self._read(frame_of(frame), what, names=[])
        return row_ids.distinct.decode(row_ids.codes)

    def _read(self, frame: Any, what: What, *, names: list[str]) -> tuple[RowIds, Mapping[str, Column]]:
        """Return whose the rows of `frame` are, and its columns `names`; a matrix has none."""
        if isinstance(frame, AttributeMatrix):
            if self.id_column is not None:
                raise DataError(
                    f"these {what} attributes came as a table; pass one with the columns of it, got an "
                    "AttributeMatrix"
                )
            expected = tuple(column.name for column in self.columns)
            if frame.feature_names != expected:
                raise DataError(
                    f"an AttributeMatrix must have the same {len(expected)} columns as the first one, "
                    f"{_some(expected)}; got {len(frame.feature_names)}, {_some(frame.feature_names)}"
                )
            return frame.row_ids(what), {}
        if self.id_column is None:
            raise DataError(
                f"these {what} attributes came as an AttributeMatrix; pass one, got {type(frame).__name__}"
            )
        table = read_table(frame, what=what, id_column=self.id_column, names=names)
        return table.ids, table.columns

    # -- storing ----------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return the encoding as a dictionary that JSON can hold; floats survive it to the bit."""
        return {"id_column": self.id_column, "columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, stored: Any) -> "AttributeEncoding":
        """Return the encoding that :meth:`to_dict` took apart; everything is checked, because files may lie.

        Examples
        --------
        >>> encoding = AttributeEncoding.fit({"item": [1, 2], "year": [1990, 2000]}, what="item")
        >>> AttributeEncoding.from_dict(encoding.to_dict()) == encoding
        True
        """
        if not isinstance(stored, Mapping) or set(stored) != {"id_column", "columns"}:
            raise DataError(f"a stored attribute encoding must have id_column and columns, got {stored!r}")
        columns = stored["columns"]
        if not isinstance(columns, list | tuple):
            raise DataError(f"the columns of a stored attribute encoding must be a list, got {columns!r}")
        return cls(stored["id_column"], tuple(AttributeColumn.from_dict(column) for column in columns))


def _wishes(columns: Any) -> dict[str, Wish] | None:
    if columns is None:
        return None
    if isinstance(columns, str) or not isinstance(columns, Mapping | Sequence):
        raise DataError(f"columns must map names to kinds, or be a list of names, got {columns!r}")
    kinds = columns if isinstance(columns, Mapping) else dict.fromkeys(columns)
    for name, kind in kinds.items():
        if not isinstance(name, str):
            raise DataError(f"columns must name columns by strings, got {name!r}")
        if kind is not None and kind not in KINDS:
            raise DataError(f"columns must map {name!r} to one of {', '.join(KINDS)}, got {kind!r}")
    return {name: Wish(kind, is_named=True) for name, kind in kinds.items()}


def _kept(row_ids: RowIds, ids: IdMap | None) -> NDArray[np.bool_]:
    """Return the rows that count: those of `ids`, of which there must be one."""
    if row_ids.n == 0:
        raise DataError(
            f"the table of {row_ids.what} attributes has no rows; expected one for each {row_ids.what}"
        )
    if ids is None:
        return np.ones(row_ids.n, dtype=np.bool_)
    keep = row_ids.positions(ids) >= 0
    if not keep.any():
        raise DataError(
            f"none of the {row_ids.n:,} rows of attributes is of one of the {len(ids):,} {row_ids.what}s; "
            f"the first is of {row_ids.label(0)!r}: is this the right id column?"
        )
    return keep


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names[:3])) + (", …" if len(names) > 3 else "")
