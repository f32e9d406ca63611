"""The map between labels and positions, immutable."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column, StringChunk
from alternant._words import counted
from alternant.errors import DataError, UnknownIdError
from alternant.ids._labels import (
    check_stored_strings,
    checked_text,
    int64_labels,
    integer_labels,
    label_column,
    label_of,
    stored_array,
)
from alternant.kernels import ids as kernels

_LONGEST_NUMBER = 18
"""Digits of an id that is looked for in other spellings."""


@dataclass(frozen=True, eq=False, repr=False)
class IdMap:
    """The labels of users or items; a label's place is its position.

    Build one by :meth:`from_labels`, :meth:`from_range` or :meth:`from_arrays`. Labels are sorted when built
    (integers by value, strings by code points); :meth:`grown` appends. Ties are broken by position.

    Attributes
    ----------
    kind : "integer" or "string"
    integers : int64, shape (n,), read-only; None for strings
    offsets, utf8 : int64, shape (n + 1,), and uint8: label i is ``utf8[offsets[i]:offsets[i + 1]]`` as UTF-8,
        read-only; None for integers
    """

    integers: NDArray[np.int64] | None = None
    offsets: NDArray[np.int64] | None = None
    utf8: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        for array in (self.integers, self.offsets, self.utf8):
            if array is not None:
                array.flags.writeable = False

    # -- building ---------------------------------------------------------------------------------------

    @classmethod
    def from_labels(cls, labels: Any, *, what: str = "id") -> "tuple[IdMap, NDArray[np.int32]]":
        """Number the distinct labels of a column in sorted order.

        Parameters
        ----------
        labels : integers or strings, shape (n,): an array, a sequence, a series or an Arrow array; not null
        what : "user", "item" …: the word for messages

        Returns
        -------
        ids : IdMap of the distinct labels
        codes : int32, shape (n,), the position of each row's label

        Raises
        ------
        DataError : labels that are null, floats, booleans, or a mixture

        Examples
        --------
        >>> ids, codes = IdMap.from_labels(["carol", "alice", "carol"])
        >>> ids.labels.tolist(), codes.tolist()
        (['alice', 'carol'], [1, 0, 1])
        """
        column = label_column(labels, what=what)
        return cls.from_column(column, what=what)

    @classmethod
    def from_column(
        cls, column: Column, *, what: str, n_threads: int | None = None
    ) -> "tuple[IdMap, NDArray[np.int32]]":
        """Number a column of labels that was checked: see :meth:`from_labels`.

        Examples
        --------
        >>> from alternant.ids._labels import label_column
        >>> IdMap.from_column(label_column([7, 3], what="id"), what="id")[1].tolist()
        [1, 0]
        """
        if column.kind == "integer":
            integers, codes = kernels.number_integers(integer_labels(column, what=what), n_threads=n_threads)
            return cls(integers=integers), codes
        if column.is_numbered and column.codes is not None:
            return cls._of_strings(checked_text(column.strings[0], what=what)), column.codes
        if column.codes is None:
            [chunk], codes = kernels.factorise(column.strings, n_threads=n_threads)
            return cls._of_strings(checked_text(chunk, what=what)), codes
        # A dictionary: number those of its strings that rows use.
        used = kernels.used_numbers(column.codes, column.n_strings, n_threads=n_threads)
        words = kernels.take_strings(column.strings, np.flatnonzero(used))
        [chunk], numbers = kernels.factorise([words], n_threads=n_threads)
        table = np.zeros(len(used), dtype=np.int32)
        table[used] = numbers
        ids = cls._of_strings(checked_text(chunk, what=what))
        return ids, kernels.translate(column.codes, table, n_threads=n_threads)

    @classmethod
    def from_range(cls, n: int) -> "IdMap":
        """Return the integers 0..n-1 as ids.

        Examples
        --------
        >>> IdMap.from_range(3).labels.tolist()
        [0, 1, 2]
        """
        return cls(integers=np.arange(n, dtype=np.int64))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "IdMap":
        """Return the map that :meth:`to_arrays` took apart; every promise is checked, because files may lie.

        Examples
        --------
        >>> ids, _ = IdMap.from_labels(["b", "a"])
        >>> IdMap.from_arrays(ids.to_arrays()) == ids
        True
        """
        if set(arrays) == {"labels"}:
            ids = cls(integers=stored_array(arrays["labels"], np.int64, "labels"))
        elif set(arrays) == {"offsets", "bytes"}:
            offsets, data = (
                stored_array(arrays["offsets"], np.int64, "offsets"),
                stored_array(arrays["bytes"], np.uint8, "bytes"),
            )
            check_stored_strings(offsets, data)
            ids = cls(offsets=offsets, utf8=data)
        else:
            raise DataError(f"ids must be stored as labels, or as offsets and bytes, got {sorted(arrays)}")
        _ = ids._slots  # refuses a repeated label
        return ids

    @classmethod
    def _of_strings(cls, chunk: StringChunk) -> "IdMap":
        offsets, data = chunk
        if isinstance(data, list):
            raise TypeError("string views must be taken into offsets and bytes first")
        return cls(offsets=offsets, utf8=data)

    # -- what it holds ----------------------------------------------------------------------------------

    @property
    def kind(self) -> Literal["integer", "string"]:
        """Whether labels are integers or strings."""
        return "string" if self.integers is None else "integer"

    @property
    def _data(self) -> kernels.Labels:
        if self.integers is not None:
            return self.integers
        if self.offsets is None or self.utf8 is None:
            raise TypeError("an IdMap holds integers, or offsets and bytes")
        return [(self.offsets, self.utf8)]

    def __len__(self) -> int:
        if self.integers is not None:
            return len(self.integers)
        return 0 if self.offsets is None else len(self.offsets) - 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IdMap):
            return NotImplemented
        if self is other:
            return True
        mine, theirs = self.to_arrays(), other.to_arrays()
        return mine.keys() == theirs.keys() and all(np.array_equal(mine[key], theirs[key]) for key in mine)

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, label: object) -> bool:
        try:
            return int(self.encode([label], unknown="mark")[0]) >= 0
        except DataError:
            return False

    def __repr__(self) -> str:
        labels = self.decode(np.arange(min(len(self), 3))).tolist()
        shown = ", ".join(map(repr, labels)) + (", …" if len(self) > 3 else "")
        return f"IdMap({counted(len(self), f'{self.kind} id')}: {shown})"

    @cached_property
    def labels(self) -> NDArray[Any]:
        """All labels by position: int64, or object (str), shape (n,); read-only."""
        labels = self.decode(np.arange(len(self)))
        labels.flags.writeable = False
        return labels

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """The hash of each label: uint64, shape (n,), read-only; the same in every map and run."""
        out = kernels.hashes(self._data)
        out.flags.writeable = False
        return out

    @cached_property
    def _slots(self) -> NDArray[np.uint64]:
        slots, repeated = kernels.build_index(self._data)
        if repeated is not None:
            label = self.decode([repeated]).tolist()[0]
            raise DataError(f"ids must be distinct, got {label!r} twice")
        return slots

    @cached_property
    def _text(self) -> bytes:
        return b"" if self.utf8 is None else self.utf8.tobytes()

    # -- translating ------------------------------------------------------------------------------------

    def encode(
        self,
        labels: Any,
        *,
        what: str = "user",
        unknown: Literal["error", "mark"] = "error",
        remedy: str | None = None,
        where: str = "in this model",
    ) -> NDArray[np.int32]:
        """Return the position of each label: int32, shape (n,).

        Parameters
        ----------
        labels : integers or strings, shape (n,)
        what : "user", "item" …: the word for messages
        unknown : "error" raises on the first unknown label; "mark" gives -1
        remedy : what the message tells the caller to do about an unknown label
        where : where the message says the label is missing

        Raises
        ------
        UnknownIdError : a label that is not in the map
        DataError : labels of another kind than those of the map

        Examples
        --------
        >>> ids, _ = IdMap.from_labels(["alice", "carol"])
        >>> ids.encode(["carol", "bob"], unknown="mark").tolist()
        [1, -1]
        """
        column = label_column(labels, what=what)
        if column.n == 0:
            return np.empty(0, dtype=np.int32)
        if column.kind != self.kind:
            one, other = ("strings", "integers") if self.kind == "string" else ("integers", "strings")
            hint = self._did_you_mean(label_of(column, 0))
            raise DataError(f"{what} ids are {one} here, got {other} ({column.type_name}){hint}")
        queries = int64_labels(column, what=what) if column.kind == "integer" else list(column.strings)
        positions, n_unknown = kernels.find(queries, self._data, self._slots)
        if column.codes is not None:
            positions = kernels.translate(column.codes, positions)
            n_unknown = int(np.count_nonzero(positions < 0))
        if n_unknown and unknown == "error":
            row = int((positions < 0).argmax())
            label = label_of(column, row)
            text = f"no {what} {label!r} {where} ({counted(len(self), what)}){self._did_you_mean(label)}"
            raise UnknownIdError(f"{text}; {remedy}" if remedy else text)
        return positions

    def _did_you_mean(self, label: int | str) -> str:
        """Return a hint for a message where a label is known in another spelling: "7", "007" or 7."""
        text = str(label)
        if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_NUMBER:
            return ""
        bare = text.lstrip("0") or "0"
        spelled: list[Any] = (
            [int(bare)]
            if self.kind == "integer"
            else [bare.zfill(width) for width in range(len(bare), _LONGEST_NUMBER + 1)]
        )
        if self.kind == "integer" and not -(2**63) <= spelled[0] < 2**63:
            return ""
        positions, _ = kernels.find(IdMap.from_labels(spelled)[0]._data, self._data, self._slots)
        known = positions[positions >= 0]
        if len(known) == 0 or (twin := self.decode(known[:1]).tolist()[0]) == label:
            return ""
        return f"; did you mean {twin!r}?"

    def encode_one(self, label: Any, *, what: str = "user", remedy: str | None = None) -> int:
        """Return the position of one label; see :meth:`encode` for the errors.

        Examples
        --------
        >>> IdMap.from_range(3).encode_one(2)
        2
        """
        return int(self.encode([label], what=what, remedy=remedy)[0])

    def decode(self, indices: Any) -> NDArray[Any]:
        """Return the labels at positions `indices`: int64, or object (str), shape (n,).

        Examples
        --------
        >>> ids, _ = IdMap.from_labels(["b", "a"])
        >>> ids.decode([1, 1, 0]).tolist()
        ['b', 'b', 'a']
        """
        positions = np.asarray(indices, dtype=np.int64)
        if positions.size and (positions.min() < 0 or positions.max() >= len(self)):
            raise DataError(f"positions must lie in [0, {len(self)})")
        if self.integers is not None:
            return self.integers[positions]
        if self.offsets is None:
            raise TypeError("an IdMap holds integers, or offsets and bytes")
        text = self._text
        begins, ends = self.offsets[positions].tolist(), self.offsets[positions + 1].tolist()
        out = np.empty(len(positions), dtype=object)
        out[:] = [text[begin:end].decode() for begin, end in zip(begins, ends, strict=True)]
        return out

    def parse(self, text: str) -> int | str:
        """Return what a label typed on a command line means for this map.

        Examples
        --------
        >>> IdMap.from_range(3).parse("2")
        2
        """
        if self.kind == "string":
            return text
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or str(number) != text.strip(" "):  # "1_0", "007" and "+7" are nobody's id
            raise DataError(f"ids are integers here, got {text!r}")
        return number

    # -- other maps -------------------------------------------------------------------------------------

    def grown(self, labels: Any, *, what: str = "id") -> "IdMap":
        """Return a map with the labels that are new appended, sorted among themselves; old positions stay.

        Examples
        --------
        >>> ids, _ = IdMap.from_labels(["m"])
        >>> ids.grown(["z", "a", "m"]).labels.tolist()
        ['m', 'a', 'z']
        """
        added, _ = IdMap.from_labels(labels, what=what)
        if len(added) == 0:
            return self
        if len(self) == 0:
            return added
        if added.kind != self.kind:
            raise DataError(f"{what} ids are {self.kind}s here, got {added.kind}s")
        positions, _ = kernels.find(added._data, self._data, self._slots)
        new = added.subset(np.flatnonzero(positions < 0))
        if self.integers is not None and new.integers is not None:
            return IdMap(integers=np.concatenate([self.integers, new.integers]))
        both = [chunk for ids in (self, new) for chunk in ids._data]
        return IdMap._of_strings(kernels.take_strings(both, np.arange(len(self) + len(new))))

    def subset(self, positions: NDArray[np.integer[Any]]) -> "IdMap":
        """Return the labels at `positions` (integers, distinct) as a map, in that order.

        Examples
        --------
        >>> IdMap.from_range(5).subset(np.array([1, 4])).labels.tolist()
        [1, 4]
        """
        if self.integers is not None:
            return IdMap(integers=self.integers[positions])
        data = self._data
        if isinstance(data, np.ndarray):
            raise TypeError("an IdMap holds integers, or offsets and bytes")
        return IdMap._of_strings(kernels.take_strings(data, np.ascontiguousarray(positions, dtype=np.int64)))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that hold the map: {"labels"}, or {"offsets", "bytes"}; read-only views.

        Examples
        --------
        >>> IdMap.from_range(2).to_arrays()
        {'labels': array([0, 1])}
        """
        if self.integers is not None:
            return {"labels": self.integers}
        if self.offsets is None or self.utf8 is None:
            raise TypeError("an IdMap holds integers, or offsets and bytes")
        return {"offsets": self.offsets, "bytes": self.utf8}
