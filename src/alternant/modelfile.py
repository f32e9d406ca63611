"""Model files: named arrays and one dictionary in one `.safetensors` file. Knows nothing of models.

Layout (that of safetensors, which any of its readers opens): 8 bytes little-endian header length, a JSON header padded with
spaces, the data section. Every array starts on a multiple of 64 bytes of the file: readers of safetensors refuse gaps, so
the space between two arrays is an array of its own, named ``_padding.<n>``. ``__metadata__`` holds

    format          "alternant"
    format_version  "0": nothing is promised; a later version may refuse to read it
    content         the dictionary, as JSON
    sha256          of the data section
    header_sha256   of the rest of the header: sorted JSON without this entry

Files are written beside and renamed, and read through a memory map.
"""

import hashlib
import json
import mmap
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError, ModelFileError

FORMAT = "alternant"
FORMAT_VERSION = 0
SUFFIX = ".safetensors"

_ALIGNMENT = 64
_LONGEST_HEADER = 100_000_000  # the limit of the official reader
_PADDING = "_padding."
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "I64": "<i8",
    "I32": "<i4",
    "U64": "<u8",
    "U8": "|u1",
}
_FOREIGN = {  # no file of ours starts so: the header's length is 56 more than a multiple of 64
    b"\x80\x04\x95": "a pickle",
    b"\x80\x05\x95": "a pickle",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}


def write(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> None:
    """Write arrays and a dictionary to `path`; what was there stays intact until the new file is whole.

    Parameters
    ----------
    path : path
        Ends in ``.safetensors``. A link is followed.
    arrays : mapping of str to float64, float32, int64, int32, uint64 or uint8 arrays
        Any shape. Names must not start with ``_padding.``.
    metadata : mapping
        What JSON can hold; numbers must be finite.

    Raises
    ------
    DataError
        A name, a dtype or the metadata cannot be stored, or `path` ends otherwise.
    OSError
        The file cannot be written; the old one, if any, is as it was.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "small.safetensors"
    >>> write(file, {"x": np.arange(3)}, {"name": "three"})
    >>> read(file)[1]
    {'name': 'three'}
    """
    target = Path(os.path.realpath(path))
    if target.suffix != SUFFIX:
        raise DataError(f"a model file ends in {SUFFIX!r}, got {os.fspath(path)!r}")
    pieces, entries = _lay_out(arrays)
    try:
        content = json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"the metadata of a model file must be plain finite JSON: {error}") from error
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    described = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "content": content,
        "sha256": digest.hexdigest(),
    }
    entries["__metadata__"] = described | {"header_sha256": _header_digest(entries | {"__metadata__": described})}
    header = json.dumps(entries).encode()
    header += b" " * (-(8 + len(header)) % _ALIGNMENT)
    _replace(target, [len(header).to_bytes(8, "little") + header, *pieces])


def read(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and the dictionary of a model file.

    The arrays are read-only views of a memory map, which lives as long as one of them. Every size in the header is compared
    with the file before anything is allocated; both checksums are verified, which reads the file once.

    Raises
    ------
    ModelFileError
        The file is truncated, corrupted, of another kind, or of a newer format; the message says which and where.
    OSError
        The file is missing or cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "small.safetensors"
    >>> write(file, {"x": np.arange(3)}, {})
    >>> read(file)[0]["x"].tolist()
    [0, 1, 2]
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(8)
        header_end = 8 + _header_length(start, size, name)
        entries, described = _parse_header(file.read(header_end - 8), name)
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    content = _check_described(entries, described, name)
    arrays = {}
    position = 0
    for tensor, entry in sorted(entries.items(), key=lambda item: _offsets(item[1], item[0], name)):
        dtype, shape, begin, end = _entry(entry, tensor, name)
        if begin != position:
            raise ModelFileError(f"{name}: array {tensor!r} should start at byte {position} of the data, not {begin}")
        if header_end + end > size:
            raise ModelFileError(
                f"{name} is truncated: array {tensor!r} ends at byte {header_end + end:,}, the file at {size:,}; "
                "copy it again from where it was saved"
            )
        position = end
        if not tensor.startswith(_PADDING):
            flat = np.frombuffer(memory, dtype, count=(end - begin) // dtype.itemsize, offset=header_end + begin)
            arrays[tensor] = flat.reshape(shape)
    if header_end + position != size:
        raise ModelFileError(f"{name}: {size - header_end - position:,} bytes follow the last array; the file is damaged")
    with memoryview(memory) as view, view[header_end:] as data:
        if hashlib.sha256(data).hexdigest() != described["sha256"]:
            raise ModelFileError(f"{name}: the data does not match its checksum; the file is damaged")
    return arrays, content


def _lay_out(arrays: Mapping[str, NDArray[Any]]) -> tuple[list[bytes | memoryview], dict[str, Any]]:
    """Return the pieces of the data section in order, and the header's entries for them."""
    pieces: list[bytes | memoryview] = []
    entries: dict[str, Any] = {}
    position = 0
    for name, array in arrays.items():
        dtype = array.dtype.newbyteorder("<")
        if dtype not in _NAMES:
            raise DataError(f"array {name!r} must be one of {', '.join(map(str, _NAMES))}, got {array.dtype}")
        if name.startswith(_PADDING) or name == "__metadata__":
            raise DataError(f"an array of a model file cannot be named {name!r}")
        gap = -position % _ALIGNMENT
        if gap:
            entries[f"{_PADDING}{len(entries)}"] = _describe("U8", (gap,), position, position + gap)
            pieces.append(b"\0" * gap)
            position += gap
        stored = np.ascontiguousarray(array, dtype)
        entries[name] = _describe(_NAMES[dtype], array.shape, position, position + stored.nbytes)
        pieces.append(memoryview(stored.reshape(-1).view(np.uint8)))
        position += stored.nbytes
    return pieces, entries


def _describe(dtype: str, shape: tuple[int, ...], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def _header_digest(header: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def _replace(target: Path, pieces: list[bytes | memoryview]) -> None:
    """Write a file beside `target`, force it to disk, and rename it over `target`."""
    beside = target.with_name(f".alternant-{secrets.token_hex(8)}.tmp")
    try:
        with open(beside, "xb") as file:
            if target.exists():
                os.chmod(beside, stat.S_IMODE(target.stat().st_mode))  # a private model stays private
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    # The rename itself is on disk only when the folder is; where folders cannot be opened, the system decides when.
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _header_length(start: bytes, size: int, name: str) -> int:
    for first, kind in _FOREIGN.items():
        if start.startswith(first):
            raise ModelFileError(f"{name} is not a model file but {kind}")
    if size < 8:
        raise ModelFileError(f"{name} is not a model file: it has {size} bytes, and a header alone has more")
    length = int.from_bytes(start, "little")
    if length > _LONGEST_HEADER:
        raise ModelFileError(f"{name} is not a model file: it does not start as a safetensors file does")
    if 8 + length > size:
        raise ModelFileError(
            f"{name} is truncated: its header ends at byte {8 + length:,}, the file at {size:,}; "
            "copy it again from where it was saved"
        )
    return length


def _parse_header(text: bytes, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("a key occurs twice")
        return dict(pairs)

    try:
        entries = json.loads(text.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{name}: the header is not valid JSON ({error}); the file is damaged or foreign") from error
    if not isinstance(entries, dict):
        raise ModelFileError(f"{name}: the header must be a JSON object, got {type(entries).__name__}")
    described = entries.pop("__metadata__", None)
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise ModelFileError(f"{name} is a safetensors file, but not one that alternant wrote")
    return entries, described


def _check_described(entries: dict[str, Any], described: dict[str, Any], name: str) -> dict[str, Any]:
    """Check version and header checksum; return the dictionary that the file holds."""
    version = described.get("format_version")
    if not isinstance(version, str) or not version.isdecimal():
        raise ModelFileError(f"{name}: format_version must be a number, got {version!r}; the file is damaged")
    if int(version) > FORMAT_VERSION:
        raise ModelFileError(
            f"{name} has format version {version}, this alternant reads up to {FORMAT_VERSION}: "
            "pip install --upgrade alternant"
        )
    rest = {key: value for key, value in described.items() if key != "header_sha256"}
    if _header_digest(entries | {"__metadata__": rest}) != described.get("header_sha256"):
        raise ModelFileError(f"{name}: the header does not match its checksum; the file is damaged")
    try:
        content = json.loads(described["content"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{name}: its content is not valid JSON ({error})") from error
    if not isinstance(content, dict) or not isinstance(described.get("sha256"), str):
        raise ModelFileError(f"{name}: its content or its checksum is missing")
    return content


def _offsets(entry: Any, tensor: str, name: str) -> tuple[int, int]:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not _is_sizes(offsets) or len(offsets) != 2:
        raise ModelFileError(f"{name}: array {tensor!r} must have two data offsets, got {offsets!r}")
    return offsets[0], offsets[1]


def _entry(entry: dict[str, Any], tensor: str, name: str) -> tuple[np.dtype[Any], list[int], int, int]:
    begin, end = _offsets(entry, tensor, name)
    shape = entry.get("shape")
    if entry.get("dtype") not in _DTYPES:
        raise ModelFileError(f"{name}: array {tensor!r} has the unknown dtype {entry.get('dtype')!r}")
    if not _is_sizes(shape):
        raise ModelFileError(f"{name}: array {tensor!r} must have a shape, got {shape!r}")
    dtype = np.dtype(_DTYPES[entry["dtype"]])
    expected = dtype.itemsize
    for size in shape:
        expected *= size
    if expected != end - begin:
        raise ModelFileError(
            f"{name}: array {tensor!r} of shape {shape} needs {expected:,} bytes, its offsets span {end - begin:,}"
        )
    return dtype, shape, begin, end


def _is_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)
