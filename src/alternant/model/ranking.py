"""Rank one side for queries of the other: items for users, users for items."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant import _settings, retrieval
from alternant.errors import DataError
from alternant.interactions import EntryRows
from alternant.model.choosing import (
    ChosenRows,
    choose,
    from_attributes,
    listable,
    refuse_without_entries,
)
from alternant.model.diversity import USERS_AT_ONCE, pool_size, spread_out
from alternant.model.exploring import exploration, explorer
from alternant.model.lists import ranks
from alternant.model.recommendations import Recommendations
from alternant.objective import Side, other

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class _Lists:
    """Ragged lists: int64, shape (n + 1,); int32 and float32, shape (offsets[-1],)."""

    offsets: NDArray[np.int64]
    indices: NDArray[np.int32]
    scores: NDArray[np.float32]


def recommend(
    model: "Snapshot",
    queries: Side,
    asked: Any,
    k: int,
    *,
    exclude_seen: bool,
    exclude: Any,
    candidates: Any,
    min_entries: int,
    unknown: str,
    n_threads: int | None,
    diversity: float = 0.0,
    explore: str | None = None,
    explore_weight: float = 1.0,
    seed: int | None = None,
    packed: retrieval.PackedTable | None = None,
) -> Recommendations:
    """Rank the other side for each of `queries`; see :meth:`FactorModel.recommend`.

    `packed`, what :func:`pack` made where many calls share it, stands for `exclude`, `candidates` and
    `min_entries`.
    """
    diversity = _settings.number("diversity", diversity, "a number from 0 to 1", lambda x: 0 <= x <= 1)
    k = _settings.integer("k", k, 1)
    how = exploration(explore, explore_weight, seed)
    if unknown not in ("error", "fallback"):
        raise DataError(f'unknown must be "error" or "fallback", got {unknown!r}')
    chosen = choose(model, queries, asked, mark_unknown=unknown == "fallback")
    if unknown == "error":
        refuse_without_entries(chosen)
    ranked: NDArray[np.int32] | None
    if packed is None:
        ranked = listable(
            model, other(queries), exclude=exclude, candidates=candidates, min_entries=min_entries
        )
    else:
        ranked = np.sort(packed.order)
    by_model = chosen.has_entries | from_attributes(chosen)
    index = chosen.index[by_model]
    if how is None:

        def best(some: NDArray[np.int32], n: int) -> _Lists:
            return _by_score(model, chosen, some, n, exclude_seen, ranked, packed, n_threads)
    else:
        exploring = explorer(model, asked, chosen, ranked, how, n_threads=n_threads)

        def best(some: NDArray[np.int32], n: int) -> _Lists:
            return _Lists(
                *exploring.lists(
                    some, n, entries_of(_history_of(chosen), some) if exclude_seen and len(some) else None
                )
            )

    lists = best(index, k) if diversity == 0.0 else _diverse(model, chosen.side, index, k, best, diversity)
    if not by_model.all():
        lists = _with_fallback(lists, by_model, _by_popularity(model, other(queries), k, ranked))
    return _labelled(model, chosen, lists, by_model)


def _by_score(
    model: "Snapshot",
    chosen: ChosenRows,
    index: NDArray[np.int32],
    k: int,
    exclude_seen: bool,
    ranked: NDArray[np.int32] | None,
    packed: retrieval.PackedTable | None,
    n_threads: int | None,
) -> _Lists:
    queries = chosen.table[index]
    for_users = chosen.side == "users"
    if for_users and model.item_biases is not None:
        queries[:, -1] = 1
    excluded: dict[str, Any] = {}
    if exclude_seen and len(index):
        entries = _history_of(chosen)
        seen = entries.block(0, entries.n_rows)
        excluded = {"exclude_offsets": seen.offsets, "exclude_indices": seen.indices, "exclude_rows": index}
    if packed is None:
        packed = _pack(model, other(chosen.side), ranked, len(index), n_threads)
    return _Lists(*retrieval.top_k(queries, packed, k, n_threads=n_threads, **excluded))


def pack(
    model: "Snapshot",
    queries: Side,
    *,
    exclude: Any,
    candidates: Any,
    min_entries: int,
    n_threads: int | None,
) -> retrieval.PackedTable:
    """Make the table of the other side ready for many calls of :func:`recommend` with these arguments."""
    ranked = listable(model, other(queries), exclude=exclude, candidates=candidates, min_entries=min_entries)
    return _pack(model, other(queries), ranked, None, n_threads)


def _pack(
    model: "Snapshot",
    side: Side,
    ranked: NDArray[np.int32] | None,
    n_queries: int | None,
    n_threads: int | None,
) -> retrieval.PackedTable:
    return retrieval.pack(
        model.item_table if side == "items" else model.user_table,
        table_last="stored" if side == "items" or model.item_biases is None else "one",
        candidates=ranked,
        n_queries=n_queries,
        n_threads=n_threads,
    )


def _history_of(chosen: ChosenRows) -> EntryRows:
    """Return the entries of rows, which are not to be listed again."""
    if chosen.entries is None:
        raise DataError(
            "exclude_seen needs the training history, and this model was saved without it; "
            "pass exclude_seen=False, and what to leave out as exclude"
        )
    return chosen.entries


def entries_of(rows: EntryRows, index: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Gather the entries of some rows: offsets int64, shape (n + 1,), and indices int32.

    Examples
    --------
    >>> rows = EntryRows(np.array([0, 2, 3]), np.array([0, 4, 1], dtype=np.int32), n_columns=5)
    >>> [array.tolist() for array in entries_of(rows, np.array([1, 0, 1], dtype=np.int32))]
    [[0, 1, 3, 4], [1, 0, 4, 1]]
    """
    offsets = np.zeros(len(index) + 1, np.int64)
    np.cumsum(rows.counts[index], out=offsets[1:])
    indices = np.empty(int(offsets[-1]), np.int32)
    # Runs of neighbouring rows are copied as one block each.
    starts = np.flatnonzero(np.diff(index, prepend=-2) != 1)
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(index)], strict=True):
        block = rows.block(int(index[start]), int(index[end - 1]) + 1)
        indices[offsets[start] : offsets[end]] = block.indices
    return offsets, indices


def _diverse(
    model: "Snapshot",
    side: Side,
    index: NDArray[np.int32],
    k: int,
    best: Callable[[NDArray[np.int32], int], _Lists],
    diversity: float,
) -> _Lists:
    """Choose k of each query's best, some thousand queries at a time: pools are longer than lists."""
    factors = model.item_factors if side == "users" else model.user_factors
    parts = []
    for begin in range(0, max(len(index), 1), USERS_AT_ONCE):
        pools = best(index[begin : begin + USERS_AT_ONCE], pool_size(k))
        parts.append(_Lists(*spread_out(pools.offsets, pools.indices, pools.scores, factors, k, diversity)))
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return _Lists(
        offsets,
        np.concatenate([part.indices for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def _by_popularity(model: "Snapshot", side: Side, k: int, ranked: NDArray[np.int32] | None) -> _Lists:
    """Return one list: most interactions first, then by position; the score is their number."""
    counts = model.user_counts if side == "users" else model.item_counts
    rows = np.arange(len(counts), dtype=np.int32) if ranked is None else ranked
    best = rows[np.argsort(-counts[rows], kind="stable")[:k]]
    return _Lists(np.array([0, len(best)], np.int64), best, counts[best].astype(np.float32))


def _with_fallback(lists: _Lists, by_model: NDArray[np.bool_], popular: _Lists) -> _Lists:
    """Put the same list of popular rows in for every query that the model has no list for."""
    counts = np.full(len(by_model), len(popular.indices), np.int64)
    counts[by_model] = np.diff(lists.offsets)
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    from_model = np.repeat(by_model, counts)
    n_fallback = int(np.count_nonzero(~by_model))
    indices, scores = np.empty(int(offsets[-1]), np.int32), np.empty(int(offsets[-1]), np.float32)
    indices[from_model], scores[from_model] = lists.indices, lists.scores
    indices[~from_model] = np.tile(popular.indices, n_fallback)
    scores[~from_model] = np.tile(popular.scores, n_fallback)
    return _Lists(offsets, indices, scores)


def _sources(chosen: ChosenRows, by_model: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return where each list comes from: object (str), shape (n,)."""
    sources = np.where(by_model, "model", "fallback").astype(object)
    sources[from_attributes(chosen)] = "attributes"
    return sources


def _labelled(
    model: "Snapshot", chosen: ChosenRows, lists: _Lists, by_model: NDArray[np.bool_]
) -> Recommendations:
    counts = np.diff(lists.offsets)
    asked = np.repeat(chosen.labels, counts)
    ids = model.item_ids if chosen.side == "users" else model.user_ids
    found = ids.decode(lists.indices)
    return Recommendations(
        chosen.side,
        chosen.labels,
        lists.offsets,
        asked if chosen.side == "users" else found,
        found if chosen.side == "users" else asked,
        ranks(lists.offsets),
        lists.scores,
        np.repeat(_sources(chosen, by_model), counts),
        model.frame_type,
    )
