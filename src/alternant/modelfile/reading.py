"""Read a model file: every size is compared with the file before anything is believed or allocated."""

import hashlib
import json
import mmap
import os
import stat
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from alternant.errors import ModelFileError
from alternant.modelfile.layout import DTYPES, FORMAT, FORMAT_VERSION, LONGEST_HEADER, PADDING, header_digest

_FOREIGN = {  # no file of ours starts so: the header's length is 56 more than a multiple of 64
    b"\x80\x04\x95": "a pickle",
    b"\x80\x05\x95": "a pickle",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
}


def read(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and the dictionary of a model file.

    The arrays are read-only views of a memory map, which lives as long as one of them. Every size in the
    header is compared with the file before anything is allocated; both checksums are verified, which reads
    the file once.

    Raises
    ------
    ModelFileError
        The file is truncated, damaged, of another kind, or of a newer format; the message says which.
    OSError
        The file is missing or cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "small.safetensors"
    >>> from alternant import modelfile
    >>> modelfile.write(file, {"x": np.arange(3)}, {})
    >>> read(file)[0]["x"].tolist()
    [0, 1, 2]
    """
    name = os.fspath(path)
    kind = stat.S_IFMT(os.stat(path).st_mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR):  # opening a pipe would wait for its writer
        raise ModelFileError(f"{name} is not a model file but a pipe or a device; save it to a file first")
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
            raise ModelFileError(
                f"{name}: array {tensor!r} should start at byte {position} of the data, not {begin}"
            )
        if header_end + end > size:
            raise ModelFileError(
                f"{name} is truncated: array {tensor!r} ends at byte {header_end + end:,}, "
                f"the file at {size:,}; copy it again from where it was saved"
            )
        position = end
        if not tensor.startswith(PADDING):
            flat = np.frombuffer(
                memory, dtype, count=(end - begin) // dtype.itemsize, offset=header_end + begin
            )
            try:
                arrays[tensor] = flat.reshape(shape)
            except ValueError as error:
                raise ModelFileError(
                    f"{name}: array {tensor!r} of shape {shape} cannot be: {error}"
                ) from error
    if header_end + position != size:
        raise ModelFileError(
            f"{name}: {size - header_end - position:,} bytes follow the last array; the file is damaged"
        )
    with memoryview(memory) as view, view[header_end:] as data:
        if hashlib.sha256(data).hexdigest() != described["sha256"]:
            raise ModelFileError(f"{name}: the data does not match its checksum; the file is damaged")
    return arrays, content


def _header_length(start: bytes, size: int, name: str) -> int:
    for first, kind in _FOREIGN.items():
        if start.startswith(first):
            raise ModelFileError(f"{name} is not a model file but {kind}")
    if size < 8:
        raise ModelFileError(f"{name} is not a model file: it has {size} bytes, and a header alone has more")
    length = int.from_bytes(start, "little")
    if length > LONGEST_HEADER:
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
        raise ModelFileError(
            f"{name}: the header is not valid JSON ({error}); the file is damaged or foreign"
        ) from error
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
    if header_digest(entries | {"__metadata__": rest}) != described.get("header_sha256"):
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
    stored = entry.get("dtype")
    if not isinstance(stored, str) or stored not in DTYPES:
        raise ModelFileError(f"{name}: array {tensor!r} has the unknown dtype {stored!r}")
    if not _is_sizes(shape):
        raise ModelFileError(f"{name}: array {tensor!r} must have a shape, got {shape!r}")
    dtype = np.dtype(DTYPES[stored])
    expected = dtype.itemsize
    for size in shape:
        expected *= size
    if expected != end - begin:
        raise ModelFileError(
            f"{name}: array {tensor!r} of shape {shape} needs {expected:,} bytes, "
            f"its offsets span {end - begin:,}"
        )
    return dtype, shape, begin, end


def _is_sizes(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)
