"""Write a model file: laid out in memory order, beside the old one, then renamed over it."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._whole_file import whole_file
from alternant.errors import DataError
from alternant.modelfile.layout import (
    ALIGNMENT,
    DTYPES,
    FORMAT,
    FORMAT_VERSION,
    PADDING,
    SUFFIX,
    header_digest,
)

_NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}


def write(
    path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]
) -> None:
    """Write arrays and a dictionary to `path`; what was there stays intact until the new file is whole.

    Parameters
    ----------
    path : path
        Ends in ``.safetensors``. A link is followed; a device or a pipe is written to, not replaced.
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
    >>> from alternant import modelfile
    >>> modelfile.read(file)[1]
    {'name': 'three'}
    """
    if Path(path).suffix != SUFFIX:
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
    entries["__metadata__"] = described | {
        "header_sha256": header_digest(entries | {"__metadata__": described})
    }
    header = json.dumps(entries).encode()
    header += b" " * (-(8 + len(header)) % ALIGNMENT)
    with whole_file(path) as new, open(new, "wb") as file:
        for piece in (len(header).to_bytes(8, "little"), header, *pieces):
            file.write(piece)


def _lay_out(arrays: Mapping[str, NDArray[Any]]) -> tuple[list[bytes | memoryview], dict[str, Any]]:
    """Return the pieces of the data section in order, and the header's entries for them."""
    pieces: list[bytes | memoryview] = []
    entries: dict[str, Any] = {}
    position = 0
    for name, array in arrays.items():
        dtype = array.dtype.newbyteorder("<")
        if dtype not in _NAMES:
            raise DataError(f"array {name!r} must be one of {', '.join(map(str, _NAMES))}, got {array.dtype}")
        if name.startswith(PADDING) or name == "__metadata__":
            raise DataError(f"an array of a model file cannot be named {name!r}")
        gap = -position % ALIGNMENT
        if gap:
            entries[f"{PADDING}{len(entries)}"] = _describe("U8", (gap,), position, position + gap)
            pieces.append(b"\0" * gap)
            position += gap
        stored = np.ascontiguousarray(array, dtype)
        entries[name] = _describe(_NAMES[dtype], array.shape, position, position + stored.nbytes)
        pieces.append(stored.reshape(-1).view(np.uint8).data)
        position += stored.nbytes
    return pieces, entries


def _describe(dtype: str, shape: tuple[int, ...], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
