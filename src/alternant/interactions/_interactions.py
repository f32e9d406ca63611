"""The class Interactions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alternant._arrays import checked_positions
from alternant._columns import Column
from alternant._frames import FrameType, as_column, frame_type_of, make_frame, read_columns
from alternant._words import counted
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions._build import CodedRows, OnInvalid, Parts, build, pruned
from alternant.interactions._coding import encoded, event_weights_column
from alternant.interactions._duplicates import Duplicates
from alternant.interactions._matrix import check_shape, matrix_ids, read_matrix
from alternant.interactions._report import BuildReport, Summary
from alternant.interactions._rows import EntryRows, entry_mask, masked
from alternant.kernels.ids import number_strings


def check_interactions(data: object) -> None:
    """Refuse what is not Interactions, and say how they are made."""
    if not isinstance(data, Interactions):
        raise DataError(
            f"interactions must be Interactions, got {type(data).__name__}; "
            "make them with Interactions.from_frame, .from_arrays or .from_matrix, or alternant.read"
        )


def _appended(ids: IdMap, labels: Any, what: str) -> IdMap:
    """Return `ids` with the labels that it does not know behind them, sorted among themselves."""
    grown = ids if len(labels) == 0 else ids.grown(labels, what=what)
    return ids if len(grown) == len(ids) else grown


class Entries(NamedTuple):
    """All entries, ordered by user, then item.

    user_index, item_index : int32, shape (n_entries,); values, weights : float32 or None; times : int64 or
        None
    """

    user_index: NDArray[np.int32]
    item_index: NDArray[np.int32]
    values: NDArray[np.float32] | None
    weights: NDArray[np.float32] | None
    times: NDArray[np.int64] | None


@dataclass(frozen=True, eq=False)
class Interactions:
    """Stored (user, item) entries with raw values, weights and times; immutable.

    Build them by :meth:`from_frame`, :meth:`from_arrays` or :meth:`from_matrix`. What these have in common:

    - Ids are integers or strings, never null. Where `user_ids` or `item_ids` are given, every id must be
      among them, and those without entries stay (a catalogue).
    - Values are stored as float32, raw: what zeros and negative values mean is the model's affair; they are
      counted in :meth:`summary`. Weights are not negative; an entry of weight 0 is removed. Times are int64:
      integers as given, dates and datetimes as Unix seconds, floats rounded down.
    - NaN, null and infinite values, weights and times are refused, or dropped and counted with
      ``on_invalid="drop"``.
    - ``duplicates`` says what to do with rows of the same user and item: "error" (the default with values),
      "sum" (the default without), "mean", "max" or "last" (the latest by time, else by row order). Values
      and weights follow it; the time is the latest, for "mean" the mean. Without values and weights, "sum"
      makes the number of rows the value.
    - Ids that have lost all their rows that way leave the maps, as if the rows had not been given.

    Attributes
    ----------
    user_ids, item_ids : IdMap
    by_user, by_item : EntryRows, the same entries in both orientations
    report : BuildReport, what became of the rows read
    frame_type : "pandas", "polars", "pyarrow" of the frame they came from, or None
    """

    user_ids: IdMap
    item_ids: IdMap
    by_user: EntryRows
    by_item: EntryRows
    report: BuildReport
    frame_type: FrameType | None = None

    def __post_init__(self) -> None:
        shape = (self.n_users, self.n_items)
        for name, rows, expected in (
            ("by_user", self.by_user, shape),
            ("by_item", self.by_item, shape[::-1]),
        ):
            if (rows.n_rows, rows.n_columns) != expected:
                got = (rows.n_rows, rows.n_columns)
                raise DataError(f"{name} must have the shape of the ids, {expected}, got {got}")

    # -- building ---------------------------------------------------------------------------------------

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        user: str = "user",
        item: str = "item",
        value: str | None = None,
        weight: str | None = None,
        time: str | None = None,
        event: str | None = None,
        event_weights: Mapping[Any, float] | None = None,
        duplicates: Duplicates | None = None,
        on_invalid: OnInvalid = "error",
        user_ids: Any = None,
        item_ids: Any = None,
    ) -> "Interactions":
        """Build interactions from named columns of a frame.

        A source that makes its Arrow batches as it goes (a reader of files, a query) is read once and never
        held as a whole, where ids are strings and other columns numbers. Then the peak is, for n rows, 22
        bytes a row, with times 16 more, without values 4 less; and for each id its text twice and at most 80
        bytes. Integer ids and numbers of a table of several batches take their own size too.

        Parameters
        ----------
        frame : a pandas, polars or pyarrow table, anything with Arrow's PyCapsule interface, or a dict
            of arrays
        user, item, value, weight, time : names of columns
        event, event_weights : a column of event types, and the weight of each, e.g.
            ``{"view": 1, "buy": 5}``; 0 leaves a type out
        duplicates, on_invalid, user_ids, item_ids : see the class

        Raises
        ------
        DataError : a column is missing or of the wrong type, or a row breaks a rule of the class
        UnknownIdError : an id is not among `user_ids` or `item_ids`

        Examples
        --------
        >>> frame = {"user": ["ann", "bob"], "item": ["x", "x"], "stars": [5.0, 3.5]}
        >>> Interactions.from_frame(frame, value="stars").by_item.values.tolist()
        [5.0, 3.5]
        """
        if event is not None and weight is not None:
            raise DataError("weight and event both set the weight: pass one of them")
        if (event is None) != (event_weights is None):
            raise DataError(
                'event and event_weights belong together, as in event="type", event_weights={"buy": 5}'
            )
        asked = {"user": user, "item": item, "value": value, "weight": weight, "time": time, "event": event}
        columns = read_columns(
            frame,
            {part: name for part, name in asked.items() if name is not None},
            numbered={name for name in (user, item, event) if name is not None},
            number=number_strings,
        )
        parts = {part: columns[name] for part, name in asked.items() if name is not None}
        del columns  # what is read from here on may be let go of as soon as it was used
        if event is not None and event_weights is not None:
            parts["weight"] = event_weights_column(parts.pop("event"), event_weights)
        return cls._of_columns(
            parts.pop("user"),
            parts.pop("item"),
            parts.pop("value", None),
            parts.pop("weight", None),
            parts.pop("time", None),
            duplicates=duplicates,
            on_invalid=on_invalid,
            user_ids=user_ids,
            item_ids=item_ids,
            frame_type=frame_type_of(frame),
        )

    @classmethod
    def from_arrays(
        cls,
        users: Any,
        items: Any,
        values: Any = None,
        *,
        weights: Any = None,
        times: Any = None,
        duplicates: Duplicates | None = None,
        on_invalid: OnInvalid = "error",
        user_ids: Any = None,
        item_ids: Any = None,
    ) -> "Interactions":
        """Build interactions from arrays, sequences or series of the same length.

        Parameters
        ----------
        users, items : integers or strings, shape (n,)
        values, weights : numbers of any dtype, shape (n,), or None
        times : integers, datetimes or floats, shape (n,), or None
        duplicates, on_invalid, user_ids, item_ids : see the class

        Raises
        ------
        DataError : an array of the wrong shape or type, or a row that breaks a rule of the class
        UnknownIdError : an id is not among `user_ids` or `item_ids`

        Examples
        --------
        >>> interactions = Interactions.from_arrays([7, 7, 9], ["a", "b", "a"], [1, 2, 3])
        >>> interactions.n_users, interactions.n_items, interactions.n_entries
        (2, 2, 3)
        """
        return cls._of_columns(
            as_column(users, name="users"),
            as_column(items, name="items"),
            None if values is None else as_column(values, name="values"),
            None if weights is None else as_column(weights, name="weights"),
            None if times is None else as_column(times, name="times"),
            duplicates=duplicates,
            on_invalid=on_invalid,
            user_ids=user_ids,
            item_ids=item_ids,
        )

    @classmethod
    def from_matrix(
        cls,
        matrix: Any,
        *,
        users: Any = None,
        items: Any = None,
        duplicates: Duplicates | None = None,
        on_invalid: OnInvalid = "error",
    ) -> "Interactions":
        """Build interactions from a matrix: one row per user, one column per item.

        Parameters
        ----------
        matrix : scipy sparse matrix or array of any format and number type, shape (n_users, n_items): its
            stored entries, zeros included (but zeros inside a BSR block are padding); or a dense array where
            NaN marks the unknown cells
        users, items : labels of the rows and columns, in their order; None numbers them from 0
        duplicates, on_invalid : see the class

        Raises
        ------
        DataError : a shape that does not fit the ids, a dense matrix without unknown cells, or a bad value

        Examples
        --------
        >>> nan = float("nan")
        >>> Interactions.from_matrix([[5.0, nan], [nan, 1.0]], users=["ann", "bob"]).n_entries
        2
        """
        shape, (rows, columns, values) = read_matrix(matrix)
        user_ids, user_codes = matrix_ids(users, shape[0], what="user")
        item_ids, item_codes = matrix_ids(items, shape[1], what="item")
        check_shape(shape, len(user_ids), len(item_ids))
        return cls.from_codes(
            user_ids,
            item_ids,
            user_index=user_codes[rows],
            item_index=item_codes[columns],
            values=values,
            duplicates=duplicates,
            on_invalid=on_invalid,
        )

    @classmethod
    def from_codes(
        cls,
        user_ids: IdMap,
        item_ids: IdMap,
        *,
        user_index: Any,
        item_index: Any,
        values: Any = None,
        weights: Any = None,
        times: Any = None,
        duplicates: Duplicates | None = None,
        on_invalid: OnInvalid = "error",
    ) -> "Interactions":
        """Build interactions from positions in given id maps (int32, shape (n,)); the maps stay as they are.

        Raises
        ------
        DataError : a position outside its map, or a row that breaks a rule of the class

        Examples
        --------
        >>> ids, index = IdMap.from_range(3), np.array([0, 2], dtype=np.int32)
        >>> Interactions.from_codes(ids, ids, user_index=index, item_index=index).n_entries
        2
        """
        for name, ids in (("user_ids", user_ids), ("item_ids", item_ids)):
            if not isinstance(ids, IdMap):
                raise DataError(
                    f"{name} must be an IdMap, got {type(ids).__name__}; use from_arrays for labels"
                )
        rows = CodedRows(
            user_ids,
            item_ids,
            checked_positions(user_index, len(user_ids), name="user_index"),
            checked_positions(item_index, len(item_ids), name="item_index"),
            None if values is None else as_column(values, name="values"),
            None if weights is None else as_column(weights, name="weights"),
            None if times is None else as_column(times, name="times"),
        )
        parts = build(rows, duplicates=duplicates, on_invalid=on_invalid, fixed_users=True, fixed_items=True)
        return cls._of_parts(parts)

    @classmethod
    def _of_columns(
        cls,
        users: Column,
        items: Column,
        values: Column | None,
        weights: Column | None,
        times: Column | None,
        *,
        duplicates: Duplicates | None,
        on_invalid: OnInvalid,
        user_ids: Any,
        item_ids: Any,
        frame_type: FrameType | None = None,
    ) -> "Interactions":
        user_map, user_codes = encoded(users, user_ids, what="user")
        item_map, item_codes = encoded(items, item_ids, what="item")
        rows = [CodedRows(user_map, item_map, user_codes, item_codes, values, weights, times)]
        del users, items, user_codes, item_codes, values, weights, times  # nobody but `build` is to hold them
        parts = build(
            rows.pop(),
            duplicates=duplicates,
            on_invalid=on_invalid,
            fixed_users=user_ids is not None,
            fixed_items=item_ids is not None,
        )
        return cls._of_parts(parts, frame_type)

    @classmethod
    def _of_parts(cls, parts: Parts, frame_type: FrameType | None = None) -> "Interactions":
        by_item = parts.by_user.transposed()
        return cls(parts.user_ids, parts.item_ids, parts.by_user, by_item, parts.report, frame_type)

    def grown(self, *, user_labels: Any = (), item_labels: Any = ()) -> "Interactions":
        """Return the same entries under id maps that know more ids, appended; known ones are passed over.

        Examples
        --------
        >>> Interactions.from_arrays(["ann"], ["x"]).grown(item_labels=["y", "x"]).item_ids.labels.tolist()
        ['x', 'y']
        """
        user_ids = _appended(self.user_ids, user_labels, "user")
        item_ids = _appended(self.item_ids, item_labels, "item")
        if user_ids is self.user_ids and item_ids is self.item_ids:
            return self
        shape = len(user_ids), len(item_ids)
        return replace(
            self,
            user_ids=user_ids,
            item_ids=item_ids,
            by_user=self.by_user.widened(*shape),
            by_item=self.by_item.widened(*shape[::-1]),
        )

    # -- what they hold ---------------------------------------------------------------------------------

    @property
    def n_users(self) -> int:
        """The number of user ids, those without entries included."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """The number of item ids, those without entries included."""
        return len(self.item_ids)

    @property
    def n_entries(self) -> int:
        """The number of stored entries."""
        return self.by_user.n_entries

    @property
    def density(self) -> float:
        """The stored share of all pairs; 0.0 where there are no pairs."""
        n_pairs = self.n_users * self.n_items
        return self.n_entries / n_pairs if n_pairs else 0.0

    @property
    def has_values(self) -> bool:
        """Whether entries carry values."""
        return self.by_user.values is not None

    @property
    def has_weights(self) -> bool:
        """Whether entries carry weights."""
        return self.by_user.weights is not None

    @property
    def has_times(self) -> bool:
        """Whether entries carry times."""
        return self.by_user.times is not None

    @cached_property
    def _summary(self) -> Summary:
        values = self.by_user.values
        some = values is not None and len(values) > 0
        return Summary(
            n_users=self.n_users,
            n_items=self.n_items,
            n_active_users=int(np.count_nonzero(self.by_user.counts)),
            n_active_items=int(np.count_nonzero(self.by_item.counts)),
            n_entries=self.n_entries,
            density=self.density,
            value_min=float(values.min()) if values is not None and some else None,
            value_mean=float(values.mean(dtype=np.float64)) if values is not None and some else None,
            value_max=float(values.max()) if values is not None and some else None,
            n_zero=0 if values is None else int(np.count_nonzero(values == 0)),
            n_negative=0 if values is None else int(np.count_nonzero(values < 0)),
            n_merged=self.report.n_merged,
            n_dropped=self.report.n_dropped,
        )

    def summary(self) -> Summary:
        """Return counts, density and the range of values; ``print`` shows them in words.

        Examples
        --------
        >>> print(Interactions.from_arrays(["ann", "bob"], ["x", "x"], [5, 3]).summary())
        2 entries: 2 users × 1 item, 100 % of all pairs
        values 3 to 5, mean 4
        """
        return self._summary

    def __repr__(self) -> str:
        columns = [name for name in ("values", "weights", "times") if getattr(self, f"has_{name}")]
        shown = f"; {', '.join(columns)}" if columns else ""
        size = f"{counted(self.n_users, 'user')} × {counted(self.n_items, 'item')}"
        return f"Interactions({size}, {counted(self.n_entries, 'entry')}{shown})"

    def entries(self) -> Entries:
        """Return all entries as columns, ordered by user, then item.

        Examples
        --------
        >>> Interactions.from_arrays(["b", "a"], [1, 2]).entries().user_index.tolist()
        [0, 1]
        """
        rows = self.by_user
        return Entries(rows.row_index(), rows.indices, rows.values, rows.weights, rows.times)

    def take(self, entries: Any, *, prune: bool = False) -> "Interactions":
        """Return some of the entries, with the same ids.

        Parameters
        ----------
        entries : bool, shape (n_entries,), or distinct positions; in the order of :meth:`entries`
        prune : leave out the ids that have no entries then

        Examples
        --------
        >>> some = Interactions.from_arrays(["a", "b"], ["x", "x"]).take([1])
        >>> some.n_users, some.n_entries
        (2, 1)
        """
        keep = entry_mask(entries, self.n_entries)
        parts = Parts(self.user_ids, self.item_ids, masked(self.by_user, keep), self.report)
        return self._of_parts(pruned(parts) if prune else parts, self.frame_type)

    def to_frame(self, frame_type: Literal["pandas", "polars", "pyarrow"] | None = None) -> Any:
        """Return the entries as a frame with columns user, item, and value, weight, time where there are any.

        `frame_type` None is the type that the interactions came from, else the first that is installed.

        Examples
        --------
        >>> Interactions.from_arrays(["a"], ["x"], [2]).to_frame("pandas").columns.tolist()
        ['user', 'item', 'value']
        """
        entries = self.entries()
        columns: dict[str, NDArray[Any]] = {
            "user": self.user_ids.labels[entries.user_index],
            "item": self.item_ids.labels[entries.item_index],
        }
        numbers = {"value": entries.values, "weight": entries.weights, "time": entries.times}
        columns.update({name: array for name, array in numbers.items() if array is not None})
        return make_frame(columns, frame_type or self.frame_type)
