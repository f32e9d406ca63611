"""The features of one column, and all of them as sparse rows."""

import logging

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column
from alternant._words import counted
from alternant.attributes._cells import tags, texts
from alternant.attributes._column import AttributeColumn
from alternant.attributes._fitting import checked_numbers
from alternant.attributes._table import RowIds
from alternant.errors import DataError
from alternant.interactions import EntryRows
from alternant.kernels import csr

_log = logging.getLogger("alternant.attributes")

Triples = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]  # rows, features, values


def features_of(
    column: AttributeColumn, data: Column, row_ids: RowIds, keep: NDArray[np.bool_], begin: int
) -> Triples:
    """Return row, feature and value of what is not 0 of one column, of the rows where `keep` is True."""
    if column.kind in ("numeric", "boolean"):
        values = checked_numbers(column.name, data, row_ids, keep, kind=column.kind)
        rows = np.flatnonzero(keep & ~np.isnan(values))
        with np.errstate(over="ignore"):
            scaled = ((values[rows] - column.mean) / column.scale).astype(np.float32)
        if not np.isfinite(scaled).all():
            row = int(rows[int((~np.isfinite(scaled)).argmax())])
            raise DataError(
                f"attribute {column.name!r} must lie nearer to what it was fitted on (mean {column.mean:g}, "
                f"standard deviation {column.scale:g}), got {values[row]:g} for {row_ids.what} "
                f"{row_ids.label(row)!r}; correct it, or make it missing"
            )
        there = scaled != 0
        return rows[there], np.full(np.count_nonzero(there), begin, dtype=np.int64), scaled[there]
    cells = (tags if column.kind == "tags" else texts)(data, name=column.name).of_rows(keep)
    place_of_word = np.array([column.places.get(word, -1) for word in cells.words], dtype=np.int64)
    places = place_of_word[cells.codes]
    known = places >= 0
    if not known.all():
        _log.info(
            "attribute %r: %s without a feature left out, in %s",
            column.name,
            counted(int(np.count_nonzero(place_of_word < 0)), "category"),
            counted(int(np.count_nonzero(~known)), "cell"),
        )
    rows, places = cells.rows[known], places[known]
    if column.kind == "categorical":
        return rows, places + begin, np.ones(len(rows), dtype=np.float32)
    n_tags = np.bincount(rows, minlength=row_ids.n)
    return rows, places + begin, (1 / np.sqrt(n_tags[rows])).astype(np.float32)


def entry_rows(
    rows: NDArray[np.int32],
    features: NDArray[np.int32],
    values: NDArray[np.float32],
    n_rows: int,
    n_features: int,
) -> EntryRows:
    offsets, indices, [stored], n_repeats = csr.sort_entries(
        rows, features, n_rows=n_rows, n_columns=n_features, carried=[values]
    )
    if n_repeats == 0:
        return EntryRows(offsets, indices, n_features, stored)
    # A COO matrix may store a cell in parts, whose sum is meant.
    is_start = np.ones(len(indices), dtype=np.bool_)
    is_start[1:] = indices[1:] != indices[:-1]
    is_start[offsets[:-1][np.diff(offsets) > 0]] = True
    starts = np.flatnonzero(is_start)
    summed = np.add.reduceat(stored.astype(np.float64), starts).astype(np.float32)
    return EntryRows(np.searchsorted(starts, offsets), indices[starts], n_features, summed)
