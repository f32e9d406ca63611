"""The text files of published protocols: integers, in lines. Errors name the file and the line."""

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError

Ids = NDArray[np.int64]
_BETWEEN = re.compile(rb"[,\t ;]+")


def adjacency(path: str | os.PathLike[str]) -> tuple[Ids, Ids]:
    """Read lines of a user and the user's items, between spaces: users and items, int64, shape (n,).

    A user without items has no entry; an item that a line has twice counts once.
    """
    lines = Path(path).read_bytes().splitlines()
    numbers = _integers(path, lines, b" ".join(lines))
    lengths = np.array([len(line.split()) for line in lines], np.int64)
    lengths = lengths[lengths > 0]
    starts = np.cumsum(lengths) - lengths
    is_user = np.zeros(len(numbers), np.bool_)
    is_user[starts] = True
    users, items = np.repeat(numbers[starts], lengths - 1), numbers[~is_user]
    pairs = np.unique(np.stack([users, items], axis=1), axis=0) if len(users) else np.empty((0, 2), np.int64)
    return pairs[:, 0], pairs[:, 1]


def pairs(path: str | os.PathLike[str]) -> tuple[Ids, Ids]:
    """Read lines of a user, an item and whatever else, between commas, tabs or spaces.

    A first line without numbers is a header.
    """
    lines = [line for line in Path(path).read_bytes().splitlines() if line.strip()]
    fields = [_BETWEEN.split(line.strip()) for line in lines]
    if fields and not _is_integer(fields[0][0]):
        fields = fields[1:]
    for number, found in enumerate(fields):
        if len(found) < 2 or not (_is_integer(found[0]) and _is_integer(found[1])):
            line = lines[len(lines) - len(fields) + number]
            raise DataError(
                f"{os.fspath(path)}: expected a user and an item, both integers, got {_shown(line)}"
            )
    try:
        both = np.array([(int(found[0]), int(found[1])) for found in fields], np.int64).reshape(-1, 2)
    except OverflowError:
        raise DataError(f"{os.fspath(path)}: expected integers of 64 bits") from None
    return both[:, 0], both[:, 1]


def negatives(path: str | os.PathLike[str]) -> tuple[Ids, Ids, Ids]:
    """Read lines of ``(user,item)`` and the negatives sampled for it.

    Returns
    -------
    users, items : int64, shape (n,)
    negatives : int64, shape (n, n_negatives)
    """
    lines = [line for line in Path(path).read_bytes().splitlines() if line.strip()]
    cleaned = [re.sub(rb"[(),]", b" ", line) for line in lines]
    numbers = _integers(path, lines, b" ".join(cleaned))
    lengths = {len(line.split()) for line in cleaned}
    if len(lengths) != 1 or min(lengths) < 3:
        raise DataError(
            f"{os.fspath(path)}: expected lines of (user,item) and as many negatives on each, got lines of "
            f"{', '.join(map(str, sorted(lengths)[:5])) or 'no'} numbers"
        )
    table = numbers.reshape(len(lines), lengths.pop())
    return table[:, 0], table[:, 1], table[:, 2:]


def _integers(path: str | os.PathLike[str], lines: list[bytes], text: bytes) -> Ids:
    """Return all integers of a text, in order."""
    try:
        return np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        for number, line in enumerate(lines, start=1):
            if any(not _is_integer(word) for word in re.sub(rb"[(),]", b" ", line).split()):
                raise DataError(
                    f"{os.fspath(path)}, line {number}: expected integers, got {_shown(line)}"
                ) from None
        raise DataError(f"{os.fspath(path)}: expected integers of 64 bits") from None


def _is_integer(word: bytes) -> bool:
    return word.lstrip(b"-").isdigit()


def _shown(line: bytes) -> str:
    return repr(line[:60].decode(errors="replace"))
