"""Read tables and arrays through the Arrow C data interface: zero copy, by ctypes, without pyarrow.

The interface: https://arrow.apache.org/docs/format/CDataInterface.html and ``CStreamInterface.html`` beside
it, reached through the PyCapsule protocol (``__arrow_c_stream__``, ``__arrow_c_array__``). Buffers stay
alive as long as an array that looks at them.
"""

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column, Kind, StringChunk
from alternant.errors import DataError


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]
_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.POINTER(_Array)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private_data", ctypes.c_void_p),
]

_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Released:
    """A C structure of ours that its producer filled; released when nobody looks at it any more."""

    def __init__(self, struct: Any) -> None:
        self.struct = struct

    def __del__(self) -> None:
        if self.struct.release:
            self.struct.release(ctypes.byref(self.struct))


class _Memory:
    """A foreign buffer as NumPy's array interface; the array made of it keeps `owner` alive."""

    def __init__(self, address: int, shape: tuple[int, ...], dtype: str, owner: object) -> None:
        self.owner = owner
        self.__array_interface__ = {
            "data": (address, True), "shape": shape, "typestr": dtype, "version": 3
        }  # fmt: skip


@dataclass(frozen=True)
class ArrowType:
    """What a schema says of one column."""

    name: str
    format: str
    dictionary: "ArrowType | None" = None
    children: tuple["ArrowType", ...] = ()

    @property
    def is_string(self) -> bool:
        """Whether it is one of Arrow's types of strings."""
        return self.format in _STRINGS and self.dictionary is None

    @property
    def is_flat(self) -> bool:
        """Whether the values of a column are numbers, one a row."""
        return self.dictionary is None and (
            self.format in _NUMBERS or self.format == "b" or self.format[:3] in _TIMES
        )

    @property
    def words(self) -> str:
        """The type in words, for messages."""
        return _WORDS.get(self.format.split(":")[0], f"Arrow type {self.format!r}")


_NUMBERS: dict[str, tuple[Kind, str]] = {
    "c": ("integer", "i1"), "C": ("integer", "u1"), "s": ("integer", "<i2"), "S": ("integer", "<u2"),
    "i": ("integer", "<i4"), "I": ("integer", "<u4"), "l": ("integer", "<i8"), "L": ("integer", "<u8"),
    "e": ("float", "<f2"), "f": ("float", "<f4"), "g": ("float", "<f8"),
}  # fmt: skip
# format -> dtype, units per second (or seconds per unit, negative)
_TIMES = {
    "tdD": ("<i4", -86400), "tdm": ("<i8", 1000),
    "tss": ("<i8", 1), "tsm": ("<i8", 10**3), "tsu": ("<i8", 10**6), "tsn": ("<i8", 10**9),
}  # fmt: skip
_STRINGS = ("u", "U", "vu")
# format -> dtype of offsets, and of sizes where there are any
_LISTS = {"+l": ("<i4", None), "+L": ("<i8", None), "+vl": ("<i4", "<i4"), "+vL": ("<i8", "<i8")}
_WORDS = {
    "n": "null", "b": "bool", "c": "int8", "C": "uint8", "s": "int16", "S": "uint16", "i": "int32",
    "I": "uint32", "l": "int64", "L": "uint64", "e": "float16", "f": "float32", "g": "float64", "u": "string",
    "U": "large_string", "vu": "string_view", "z": "binary", "Z": "large_binary", "vz": "binary_view",
    "d": "decimal", "tdD": "date", "tdm": "date", "tss": "timestamp", "tsm": "timestamp", "tsu": "timestamp",
    "tsn": "timestamp", "+s": "struct", "+l": "list", "+L": "large_list", "+vl": "list_view",
    "+vL": "large_list_view", "+w": "fixed_size_list", "+r": "run_end_encoded",
}  # fmt: skip


def _read_type(schema: Any) -> ArrowType:
    return ArrowType(
        name=(schema.name or b"").decode(),
        format=schema.format.decode(),
        dictionary=_read_type(schema.dictionary.contents) if schema.dictionary else None,
        children=tuple(_read_type(schema.children[i].contents) for i in range(schema.n_children)),
    )


@dataclass
class ArrowTable:
    """A table (or one nameless column) whose batches were read, and nothing copied."""

    type: ArrowType
    owners: list[Released] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Column names, in order."""
        return [child.name for child in self.type.children]

    def type_of(self, name: str) -> ArrowType:
        """Return the type of the column `name`."""
        return self.type.children[self.names.index(name)]

    def column(self, name: str) -> Column:
        """Return the column `name`, which must be one of `names`, once."""
        return _column(self.type_of(name), self._arrays(name))

    def string_chunks(self, name: str) -> tuple[list[StringChunk], NDArray[np.bool_] | None]:
        """Return the chunks of a column of strings, and where it is null."""
        kind, arrays = self.type_of(name), self._arrays(name)
        return [_strings(kind.format, *array) for array in arrays], _nulls(kind, arrays)

    def _arrays(self, name: str) -> "_Arrays":
        i = self.names.index(name)
        arrays = []
        for owner in self.owners:
            batch = owner.struct
            child = batch.children[i].contents
            # A sliced struct slices its children, over and above their own offsets.
            arrays.append((child, child.offset + batch.offset, batch.length, owner))
        return arrays

    def whole(self) -> Column:
        """Return the single column that was read from an array (not from a table)."""
        arrays = [(o.struct, o.struct.offset, o.struct.length, o) for o in self.owners]
        return _column(self.type, arrays)


def is_arrow(data: object) -> bool:
    """Tell whether `data` offers the Arrow PyCapsule interface."""
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")


def read_arrow(data: Any) -> ArrowTable:
    """Read everything that `data` offers by the Arrow PyCapsule interface."""
    if hasattr(data, "__arrow_c_stream__"):
        stream = ArrowStream(data.__arrow_c_stream__())
        return ArrowTable(stream.type, list(stream))
    schema_capsule, array_capsule = data.__arrow_c_array__()
    schema = _Schema.from_address(_capsule_pointer(schema_capsule, b"arrow_schema"))
    source = _Array.from_address(_capsule_pointer(array_capsule, b"arrow_array"))
    moved = _Array()
    ctypes.memmove(ctypes.byref(moved), ctypes.byref(source), ctypes.sizeof(_Array))
    table = ArrowTable(_read_type(schema), [Released(moved)])
    source.release = type(source.release)()  # moved: the capsule must not release it
    return table


class ArrowStream:
    """The batches of a stream (a table, or one nameless column), each once."""

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule
        self._stream = _Stream.from_address(_capsule_pointer(capsule, b"arrow_array_stream"))
        schema = Released(_Schema())
        _check(self._stream, self._stream.get_schema(ctypes.byref(self._stream), ctypes.byref(schema.struct)))
        self.type = _read_type(schema.struct)

    def __iter__(self) -> Iterator[Released]:
        while True:
            batch = Released(_Array())
            code = self._stream.get_next(ctypes.byref(self._stream), ctypes.byref(batch.struct))
            _check(self._stream, code)
            if not batch.struct.release:
                return
            if batch.struct.length > 0:
                yield batch


def _check(stream: Any, code: int) -> None:
    if code != 0:
        reason = stream.get_last_error(ctypes.byref(stream)) or b"no reason given"
        raise DataError(f"the Arrow stream failed with code {code}: {reason.decode(errors='replace')}")


_Arrays = list[tuple[Any, int, int, Released]]  # structure, offset, rows, owner


def _buffer(array: Any, index: int, shape: tuple[int, ...], dtype: str, owner: object) -> NDArray[Any]:
    address = array.buffers[index] if index < array.n_buffers else None
    if not address or 0 in shape:
        return np.empty(shape if 0 in shape else (0,), dtype=dtype)
    return np.asarray(_Memory(address, shape, dtype, owner))


def _bits(array: Any, index: int, offset: int, n: int, owner: object) -> NDArray[np.bool_]:
    packed = _buffer(array, index, (-(-(offset + n) // 8),), "u1", owner)[offset // 8 :]
    return np.unpackbits(packed, count=offset % 8 + n, bitorder="little")[offset % 8 :].view(np.bool_)


def _nulls(kind: ArrowType, arrays: _Arrays) -> NDArray[np.bool_] | None:
    """Return where rows are null, or None without nulls."""
    n_all = sum(n for _, _, n, _ in arrays)
    if kind.format == "n":
        return np.ones(n_all, dtype=np.bool_)
    if all(array.null_count == 0 or not array.buffers[0] for array, *_ in arrays):
        return None
    nulls = np.zeros(n_all, dtype=np.bool_)
    begin = 0
    for array, offset, n, owner in arrays:
        if array.null_count != 0 and array.buffers[0]:
            np.logical_not(_bits(array, 0, offset, n, owner), out=nulls[begin : begin + n])
        begin += n
    return nulls if nulls.any() else None


def _joined(arrays: _Arrays, read: Callable[..., NDArray[Any]], dtype: Any) -> NDArray[Any]:
    pieces = [read(*array) for array in arrays]
    if not pieces:
        return np.empty(0, dtype=dtype)
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _column(kind: ArrowType, arrays: _Arrays) -> Column:
    n = sum(rows for _, _, rows, _ in arrays)
    if kind.dictionary is not None:
        return _dictionary_column(kind, arrays, n)
    nulls = _nulls(kind, arrays)
    if kind.format in _NUMBERS:
        name, dtype = _NUMBERS[kind.format]
        values = _joined(arrays, lambda a, o, r, own: _buffer(a, 1, (o + r,), dtype, own)[o:], dtype)
        return Column(name, n, kind.words, values, nulls)
    if kind.format == "b":
        values = _joined(arrays, lambda a, o, r, own: _bits(a, 1, o, r, own), np.bool_)
        return Column("boolean", n, kind.words, values, nulls)
    if kind.format == "n":
        return Column("float", n, kind.words, np.full(n, np.nan), nulls)
    if kind.format[:3] in _TIMES:
        dtype, units = _TIMES[kind.format[:3]]
        raw = _joined(arrays, lambda a, o, r, own: _buffer(a, 1, (o + r,), dtype, own)[o:], dtype)
        seconds = raw.astype(np.int64) * -units if units < 0 else raw.astype(np.int64) // units
        return Column("time", n, kind.words, seconds, nulls)
    if kind.format in _STRINGS:
        strings = tuple(_strings(kind.format, *array) for array in arrays)
        return Column("string", n, kind.words, nulls=nulls, strings=strings)
    if kind.format in _LISTS or kind.format.startswith("+w:"):
        return _list_column(kind, arrays, n, nulls)
    if kind.format.startswith("d:"):
        _, scale, bits = (*map(int, kind.format[2:].split(",")), 128)[:3]
        if bits <= 128:
            values = _joined(arrays, lambda a, o, r, own: _decimals(a, o, r, own, scale, bits), np.float64)
            return Column("float", n, kind.words, values, nulls)
    return Column("other", n, kind.words, nulls=nulls)


def _list_column(kind: ArrowType, arrays: _Arrays, n: int, nulls: NDArray[np.bool_] | None) -> Column:
    begins, ends = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    children: _Arrays = []
    row = n_elements = 0
    for array, offset, rows, owner in arrays:
        child = array.children[0].contents
        part = slice(row, row + rows)
        begins[part], ends[part] = _list_bounds(kind, array, offset, rows, owner)
        used = slice(None) if nulls is None else ~nulls[part]  # what stands where null is undefined
        low, high = begins[part][used], ends[part][used]
        if ((low < 0) | (high < low) | (high > child.length)).any():
            raise DataError("an Arrow list lies outside its elements")
        begins[part] += n_elements
        ends[part] += n_elements
        children.append((child, child.offset, child.length, owner))
        row += rows
        n_elements += child.length
    elements = _column(kind.children[0], children)
    return Column("list", n, kind.words, nulls=nulls, elements=elements, begins=begins, ends=ends)


def _list_bounds(
    kind: ArrowType, array: Any, offset: int, n: int, owner: object
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if kind.format.startswith("+w:"):
        width = int(kind.format[3:])
        begins = np.arange(offset, offset + n, dtype=np.int64) * width
        return begins, begins + width
    of_offsets, of_sizes = _LISTS[kind.format]
    if of_sizes is None:
        bounds = _buffer(array, 1, (offset + n + 1,), of_offsets, owner)[offset:].astype(np.int64)
        return bounds[:-1], bounds[1:]
    begins = _buffer(array, 1, (offset + n,), of_offsets, owner)[offset:].astype(np.int64)
    return begins, begins + _buffer(array, 2, (offset + n,), of_sizes, owner)[offset:].astype(np.int64)


def _decimals(array: Any, offset: int, n: int, owner: object, scale: int, bits: int) -> NDArray[np.float64]:
    if bits < 128:
        whole = _buffer(array, 1, (offset + n,), f"<i{bits // 8}", owner)[offset:]
        return np.asarray(whole / 10.0**scale, dtype=np.float64)
    words = _buffer(array, 1, (offset + n, 2), "<i8", owner)[offset:]
    low, high = words[:, 0].view(np.uint64), words[:, 1]
    small = high == (words[:, 0] >> 63)  # the number fits its low word
    number = np.where(small, words[:, 0].astype(np.float64), high * 2.0**64 + low.astype(np.float64))
    return np.asarray(number / 10.0**scale, dtype=np.float64)


def _strings(layout: str, array: Any, offset: int, n: int, owner: object) -> StringChunk:
    if layout == "vu":
        views = _buffer(array, 1, (offset + n, 16), "u1", owner)[offset:]
        n_buffers = array.n_buffers - 3  # validity and views before, their sizes behind
        sizes = _buffer(array, array.n_buffers - 1, (n_buffers,), "<i8", owner)
        return views, [_buffer(array, 2 + i, (int(size),), "u1", owner) for i, size in enumerate(sizes)]
    dtype = "<i4" if layout == "u" else "<i8"
    if n == 0:
        return np.zeros(1, dtype=dtype), np.empty(0, dtype=np.uint8)
    offsets = _buffer(array, 1, (offset + n + 1,), dtype, owner)[offset:]
    return offsets, _buffer(array, 2, (int(offsets[-1]),), "u1", owner)


def _dictionary_column(kind: ArrowType, arrays: _Arrays, n: int) -> Column:
    dictionary = kind.dictionary
    if dictionary is None or kind.format not in _NUMBERS:
        raise DataError(f"an Arrow dictionary must have integer indices, got {kind.words}")
    dtype = _NUMBERS[kind.format][1]
    codes = np.zeros(n, dtype=np.int32)
    nulls = _nulls(ArrowType(kind.name, kind.format), arrays)
    entries: _Arrays = []
    starts: dict[tuple[int, int, int], int] = {}  # batches mostly share one dictionary
    begin = n_entries = 0
    for array, offset, rows, owner in arrays:
        words = array.dictionary.contents
        key = (words.buffers[1] or 0, words.offset, words.length)
        if key not in starts:
            starts[key] = n_entries
            entries.append((words, words.offset, words.length, owner))
            n_entries += words.length
            if n_entries > np.iinfo(np.int32).max:
                raise DataError(
                    "an Arrow dictionary must have less than 2,147,483,648 entries in all batches"
                )
        piece = _buffer(array, 1, (offset + rows,), dtype, owner)[offset:]
        part = slice(begin, begin + rows)
        begin += rows
        if nulls is not None and nulls[part].any():  # what stands where null is undefined
            piece = np.where(nulls[part], 0, piece)
            checked = piece[~nulls[part]]
        else:
            checked = piece
        if len(checked) and (checked.min() < 0 or checked.max() >= words.length):
            raise DataError("an Arrow dictionary index lies outside its dictionary")
        if words.length:
            np.add(piece, np.int32(starts[key]), out=codes[part], casting="unsafe")
    values = _column(dictionary, entries)
    if values.nulls is not None and n_entries:
        nulls = values.nulls[codes] if nulls is None else nulls | values.nulls[codes]
    if values.kind == "string":
        return Column("string", n, values.type_name, nulls=nulls, strings=values.strings, codes=codes)
    taken = None
    if values.values is not None:
        taken = values.values[codes] if n_entries else np.zeros(n, dtype=values.values.dtype)
    return Column(values.kind, n, values.type_name, taken, nulls)
