"""From coded rows to sorted entries by user and by item: validate, sort, merge, transpose."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions._duplicates import (
    Duplicates,
    check_policy,
    latest,
    merged_times,
    merged_values,
)
from alternant.interactions._numbers import FLOAT32_MAX, Numbers, float32_numbers, int64_times
from alternant.interactions._report import BuildReport
from alternant.interactions._rows import EntryRows, masked
from alternant.kernels import csr

OnInvalid = Literal["error", "drop"]

_MERGED_AT_A_TIME = 1 << 20
"""Entries, or those of one row where it has more: what merging takes in memory beside the result."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What an Interactions is made of."""

    user_ids: IdMap
    item_ids: IdMap
    by_user: EntryRows
    report: BuildReport


@dataclass(frozen=True, eq=False)
class CodedRows:
    """Rows whose ids are positions: `users`, `items` int32, shape (n,), in the maps; and the raw columns."""

    user_ids: IdMap
    item_ids: IdMap
    users: NDArray[np.int32]
    items: NDArray[np.int32]
    values: Column | None = None
    weights: Column | None = None
    times: Column | None = None

    def pair(self, row: int) -> str:
        """Return the user and item of `row` in words."""
        user = self.user_ids.decode([self.users[row]])[0]
        item = self.item_ids.decode([self.items[row]])[0]
        return f"user {_plain(user)!r}, item {_plain(item)!r}"


def _plain(label: Any) -> int | str:
    return label if isinstance(label, str) else int(label)


def build(
    rows: CodedRows,
    *,
    duplicates: str | None = None,
    on_invalid: str = "error",
    fixed_users: bool = False,
    fixed_items: bool = False,
) -> Parts:
    """Return `rows` as sorted entries without duplicates.

    Ids that lose all their rows (dropped, or of weight 0) leave the maps, unless the maps are fixed.
    """
    policy = check_policy(duplicates, has_values=rows.values is not None)
    if on_invalid not in ("error", "drop"):
        raise DataError(f"on_invalid must be 'error' or 'drop', got {on_invalid!r}")
    n_read = len(rows.users)
    if len(rows.items) != n_read:
        raise DataError(f"users and items must have the same length, got {n_read} and {len(rows.items)}")
    numbers = _read_numbers(rows, n_read)
    invalid = _invalid_rows(rows, numbers, on_invalid)
    users, items = rows.users, rows.items
    source: NDArray[np.int64] | None = None  # which input row each remaining row is
    n_dropped = 0
    if invalid is not None:
        source = np.flatnonzero(~invalid)
        n_dropped = n_read - len(source)
        users, items = users[source], items[source]
        numbers = {name: column.kept(~invalid) for name, column in numbers.items()}
    _check_ranges(rows, numbers, source)

    given = {name: column.values for name, column in numbers.items()}
    names = list(given)
    # What was given is as large as everything else, and no message needs it any more.
    rows, numbers = replace(rows, values=None, weights=None, times=None), {}
    offsets, indices, carried, n_repeats = csr.sort_entries(
        users,
        items,
        n_rows=len(rows.user_ids),
        n_columns=len(rows.item_ids),
        carried=list(given.values()),
    )
    del given
    if n_repeats and policy == "error":
        _refuse_duplicates(rows, offsets, indices, (users, items), source, n_repeats)
    stored = dict(zip(names, carried, strict=True))
    user_ids, item_ids = rows.user_ids, rows.item_ids
    del users, items, rows, carried
    by_user = _merge(offsets, indices, len(item_ids), stored, policy, n_repeats)
    for name, merged in (("values", by_user.values), ("weights", by_user.weights)):
        if merged is not None and policy == "sum" and n_repeats and not np.isfinite(merged).all():
            raise DataError(
                f"{name} added up over duplicates must stay below {FLOAT32_MAX:.3g}; scale them down"
            )
    by_user, n_zero_weight = _without_zero_weights(by_user)
    report = BuildReport(n_read, n_dropped=n_dropped, n_merged=n_repeats, n_zero_weight=n_zero_weight)
    parts = Parts(user_ids, item_ids, by_user, report)
    return (
        pruned(parts, users=not fixed_users, items=not fixed_items) if n_dropped or n_zero_weight else parts
    )


def _read_numbers(rows: CodedRows, n: int) -> dict[str, Numbers]:
    numbers = {}
    for name, column in (("values", rows.values), ("weights", rows.weights), ("times", rows.times)):
        if column is None:
            continue
        if column.n != n:
            raise DataError(f"{name} must have one element per row ({n}), got {column.n}")
        numbers[name] = (int64_times if name == "times" else float32_numbers)(column, name=name)
    return numbers


def _invalid_rows(rows: CodedRows, numbers: dict[str, Numbers], on_invalid: str) -> NDArray[np.bool_] | None:
    invalid: NDArray[np.bool_] | None = None
    for column in numbers.values():
        if column.invalid is None:
            continue
        if on_invalid == "error":
            row = int(column.invalid.argmax())
            rule = "fit in 64 bits" if np.isfinite(column.given[row]) else "be finite"
            raise DataError(
                f"{column.name} must {rule}, got {column.given[row]} for {rows.pair(row)}; "
                'drop the row or pass on_invalid="drop"'
            )
        invalid = column.invalid if invalid is None else invalid | column.invalid
    return invalid


def _check_ranges(rows: CodedRows, numbers: dict[str, Numbers], source: NDArray[np.int64] | None) -> None:
    for name, column in numbers.items():
        if name != "times":
            _check_range(rows, column, source)


def _check_range(rows: CodedRows, column: Numbers, source: NDArray[np.int64] | None) -> None:
    problem = ~np.isfinite(column.values)
    rule = f"lie within ±{FLOAT32_MAX:.3g} (float32)"
    if column.name == "weights" and not problem.any():
        problem, rule = column.values < 0, "not be negative"
    if problem.any():
        at = int(problem.argmax())
        row = at if source is None else int(source[at])
        raise DataError(f"{column.name} must {rule}, got {column.given[at]} for {rows.pair(row)}")


def _refuse_duplicates(
    rows: CodedRows,
    offsets: NDArray[np.int64],
    indices: NDArray[np.int32],
    codes: tuple[NDArray[np.int32], NDArray[np.int32]],
    source: NDArray[np.int64] | None,
    n_repeats: int,
) -> None:
    repeats = indices[1:] == indices[:-1]
    begins = offsets[(offsets > 0) & (offsets < len(indices))]
    repeats[begins - 1] = False
    entry = int(repeats.argmax())
    user = int(np.searchsorted(offsets, entry, side="right")) - 1
    first, again = np.flatnonzero((codes[0] == user) & (codes[1] == indices[entry]))[:2].tolist()
    if source is not None:
        first, again = int(source[first]), int(source[again])
    such = "1 such row" if n_repeats == 1 else f"{n_repeats:,} such rows"
    raise DataError(
        f"each user and item may occur once, but {rows.pair(first)} occurs again in row "
        f"{again} ({such}); pass duplicates="
        '"sum", "mean", "max" or "last" to merge them'
    )


def _merge(
    offsets: NDArray[np.int64],
    indices: NDArray[np.int32],
    n_columns: int,
    stored: dict[str, NDArray[Any]],
    policy: Duplicates,
    n_repeats: int,
) -> EntryRows:
    """Return entries without duplicates. Without values and weights, "sum" makes the counts the values."""
    n = len(indices)
    count = policy == "sum" and "values" not in stored and "weights" not in stored
    if n_repeats == 0:
        if count:
            stored["values"] = np.ones(n, dtype=np.float32)
        return EntryRows(offsets, indices, n_columns, **stored)
    if count:
        stored["values"] = np.empty(n, dtype=np.float32)
    merged_offsets = np.zeros_like(offsets)
    end = 0  # of the merged entries, which take the place of those that were read before
    row = 0
    while row < len(offsets) - 1:
        stop = int(np.searchsorted(offsets, offsets[row] + _MERGED_AT_A_TIME, side="right")) - 1
        stop = max(stop, row + 1)
        part = slice(int(offsets[row]), int(offsets[stop]))
        block = {name: array[part] for name, array in stored.items()}
        local = offsets[row : stop + 1] - offsets[row]
        starts, merged = _merged_block(local, indices[part], block, policy, count=count)
        # Every row's offset is a start, or the end: count the starts before it.
        merged_offsets[row : stop + 1] = end + np.searchsorted(starts, local)
        new = slice(end, end + len(starts))
        indices[new] = indices[part][starts]
        for name, array in merged.items():
            stored[name][new] = array
        end, row = new.stop, stop
    for array in (indices, *stored.values()):
        array.resize(end, refcheck=False)  # gives back what is left over, without a copy
    return EntryRows(merged_offsets, indices, n_columns, **stored)


def _merged_block(
    offsets: NDArray[np.int64],
    indices: NDArray[np.int32],
    stored: dict[str, NDArray[Any]],
    policy: Duplicates,
    *,
    count: bool,
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Return where each run of equal entries of some rows begins, and what becomes of its numbers."""
    n = len(indices)
    is_start = np.ones(n, dtype=np.bool_)
    np.not_equal(indices[1:], indices[:-1], out=is_start[1:])
    is_start[offsets[:-1][np.diff(offsets) > 0]] = True
    starts = np.flatnonzero(is_start)
    if count:
        return starts, {"values": np.diff(starts, append=n).astype(np.float32)}
    lasts = latest(stored.get("times"), starts, n)
    merged: dict[str, NDArray[Any]] = {
        name: merged_values(stored[name], starts, lasts, policy)
        for name in ("values", "weights")
        if name in stored
    }
    if "times" in stored:
        merged["times"] = merged_times(stored["times"], starts, lasts, policy)
    return starts, merged


def _without_zero_weights(rows: EntryRows) -> tuple[EntryRows, int]:
    if rows.weights is None or rows.weights.all():
        return rows, 0
    keep = rows.weights > 0
    return masked(rows, keep), int(len(keep) - np.count_nonzero(keep))


def pruned(parts: Parts, *, users: bool = True, items: bool = True) -> Parts:
    """Return `parts` without the users, or items, that have no entries."""
    rows = parts.by_user
    user_ids, item_ids, offsets, indices = parts.user_ids, parts.item_ids, rows.offsets, rows.indices
    n_columns = rows.n_columns
    if users and not rows.counts.all():
        active = np.flatnonzero(rows.counts)
        user_ids = user_ids.subset(active)
        offsets = np.append(offsets[active], offsets[-1])
    if items:
        seen = np.zeros(n_columns, dtype=np.bool_)
        seen[indices] = True
        if not seen.all():
            item_ids = item_ids.subset(np.flatnonzero(seen))
            indices = (np.cumsum(seen, dtype=np.int32) - 1)[indices].astype(np.int32, copy=False)
            n_columns = len(item_ids)
    by_user = EntryRows(offsets, indices, n_columns, rows.values, rows.weights, rows.times)
    return Parts(user_ids, item_ids, by_user, parts.report)
