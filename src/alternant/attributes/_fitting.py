"""Decide what a column of attributes becomes, from the rows that count."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column
from alternant.attributes._cells import SEPARATOR, Cells, numbers, tags, texts
from alternant.attributes._column import AttributeColumn, AttributeKind
from alternant.attributes._table import RowIds
from alternant.errors import DataError

_log = logging.getLogger("alternant.attributes")

FLOAT32_MAX = float(np.finfo(np.float32).max)
MOST_CATEGORIES = 1000
"""More different texts than this are taken for free text, such as titles."""
FEW_CATEGORIES = 20
"""So many texts are categories even where nearly every row has its own."""


@dataclass(frozen=True)
class LeftOut:
    """A column that is not used, and why."""

    name: str
    reason: str


def _left_out(log: Callable[..., None], name: str, reason: str) -> LeftOut:
    log("attribute %r is left out: %s", name, reason)
    return LeftOut(name, reason)


@dataclass(frozen=True)
class Wish:
    """What the caller said of a column: `kind`, or None to find it out; whether it was named at all."""

    kind: AttributeKind | None = None
    is_named: bool = False


def fit_column(
    name: str, column: Column, ids: RowIds, keep: NDArray[np.bool_], wish: Wish, *, min_count: int
) -> AttributeColumn | LeftOut:
    """Return what `column` becomes, judged by the rows where `keep` (bool, shape (n,)) is True.

    It is left out, and the reason logged, where it says nothing, or is beyond what can be used and was not
    asked for.
    """
    kind = wish.kind or _inferred(name, column, keep)
    if kind is None:
        if wish.is_named:
            raise DataError(
                f"attribute {name!r} must hold numbers, booleans, strings or lists of strings, got "
                f"{_type_of(column)}; convert it or leave it out of columns="
            )
        reason = f"it holds {_type_of(column)}; convert it, or pass vectors as an AttributeMatrix"
        return _left_out(_log.warning, name, reason)
    if kind in ("numeric", "boolean"):
        return _fit_numbers(name, kind, checked_numbers(name, column, ids, keep, kind=kind)[keep])
    cells = (tags if kind == "tags" else texts)(column, name=name).of_rows(keep)
    if not wish.is_named and (looks := _free_text(cells, ids.what, name)) is not None:
        return _left_out(_log.warning, name, looks)
    return _fit_categories(name, kind, cells, int(np.count_nonzero(keep)), min_count)


def _type_of(column: Column) -> str:
    held = column.elements
    return column.type_name if held is None else f"lists of {held.type_name}"


def _inferred(name: str, column: Column, keep: NDArray[np.bool_]) -> AttributeKind | None:
    if column.kind == "boolean":
        return "boolean"
    if column.kind in ("integer", "float", "time"):
        return "numeric"
    if column.kind == "string":
        words = texts(column, name=name).of_rows(keep).words
        return "tags" if any(SEPARATOR in word for word in words) else "categorical"
    held = column.elements
    if held is None:
        return None
    is_empty = held.values is not None and held.kind == "float" and bool(np.isnan(held.values).all())
    return "tags" if held.kind in ("string", "integer", "boolean") or is_empty else None


def checked_numbers(
    name: str, column: Column, ids: RowIds, keep: NDArray[np.bool_], *, kind: AttributeKind
) -> NDArray[np.float64]:
    """Return the numbers of a column: float64, shape (n,), NaN where missing; or refuse one in a kept row."""
    values = numbers(column, name=name)
    there = keep & ~np.isnan(values)
    if kind == "boolean":
        wrong, rule = there & (values != 0) & (values != 1), "be 0 or 1"
    else:
        rule = "be finite"
        wrong = there & np.isinf(values)
        if not wrong.any():
            wrong, rule = there & (np.abs(values) > FLOAT32_MAX), f"lie within ±{FLOAT32_MAX:.3g} (float32)"
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"attribute {name!r} must {rule}, got {values[row]:g} for {ids.what} {ids.label(row)!r}; "
            "correct it, or make it missing"
        )
    return values


def _fit_numbers(name: str, kind: AttributeKind, values: NDArray[np.float64]) -> AttributeColumn | LeftOut:
    there = values[~np.isnan(values)]
    if kind == "boolean":
        n_true = np.count_nonzero(there)
        if n_true not in (0, len(values)):
            _log.info("attribute %r: boolean", name)
            return AttributeColumn(name, kind)
        return _no_news(name)
    if len(there) == 0 or there.min() == there.max():
        return _no_news(name)
    # fsum is exact before it rounds, so that the order of the rows does not matter
    mean = math.fsum(there.tolist()) / len(there)
    scale = math.sqrt(math.fsum(((there - mean) ** 2).tolist()) / len(there))
    if scale == 0:  # the squares of differences below 1e-162 vanish
        return _no_news(name)
    _log.info("attribute %r: numeric, mean %g, standard deviation %g", name, mean, scale)
    return AttributeColumn(name, kind, mean=mean, scale=scale)


def _no_news(name: str) -> LeftOut:
    return _left_out(_log.info, name, "it says nothing, or the same of every row")


def _free_text(cells: Cells, what: str, name: str) -> str | None:
    """Return why a column is taken for free text, or None."""
    n_words, n_rows = len(cells.words), len(np.unique(cells.rows))
    if n_words <= FEW_CATEGORIES or (n_words <= MOST_CATEGORIES and n_words <= n_rows / 2):
        return None
    return (
        f"{n_words} different texts in {n_rows} rows of {what}s look like free text; to keep it, "
        f'name it and its kind, as in AttributeTable(frame, columns={{{name!r}: "categorical"}})'
    )


def _fit_categories(
    name: str, kind: AttributeKind, cells: Cells, n_rows: int, min_count: int
) -> AttributeColumn | LeftOut:
    counts = np.bincount(cells.codes, minlength=len(cells.words))
    kept = [word for word, count in zip(cells.words, counts.tolist(), strict=True) if count >= min_count]
    if not kept and cells.words:
        return _left_out(_log.info, name, f"no category has {min_count} rows")
    if not kept or (len(cells.words) == 1 and counts[0] == n_rows):
        return _no_news(name)
    _log.info("attribute %r: %s of %d categories", name, kind, len(kept))
    if len(kept) < len(cells.words):
        _log.info(
            "attribute %r: %d categories with fewer than %d rows are left out",
            name, len(cells.words) - len(kept), min_count,
        )  # fmt: skip
    return AttributeColumn(name, kind, categories=tuple(kept))
