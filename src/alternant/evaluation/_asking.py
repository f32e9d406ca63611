"""A factor model as `evaluate` asks it: lists and predictions in the positions of a split."""

import numpy as np
from numpy.typing import NDArray

from alternant import retrieval
from alternant._words import counted
from alternant.days import day_of
from alternant.errors import DataError
from alternant.evaluation.baselines import Lists, Queries
from alternant.evaluation.baselines._order import by_popularity
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions
from alternant.model import FactorModel
from alternant.model.choosing import ChosenRows, choose
from alternant.model.folding import FoldedIn
from alternant.model.pairs import clipped, predictions
from alternant.splitting import Split

Index = NDArray[np.int32]


class AskedModel:
    """A factor model between the positions of a split and its own.

    Users who are in the split's history are folded in from it, others are asked as the model has them. One of
    whom it has nothing gets the most popular items, and for a rating the terms that are known.
    """

    def __init__(self, model: FactorModel, split: Split, name: str, *, n_threads: int | None) -> None:
        self.name, self.model, self.split = name, model, split
        self._item_of = positions(split.train.item_ids, model.item_ids, "item")
        self._n_threads = n_threads
        self._users = choose(model, "users", ())
        self._user_of = positions(split.train.user_ids, model.user_ids, "user")
        self._folded: ChosenRows | None = None
        self._folded_of = np.full(split.train.n_users, -1, np.int32)
        if split.history is not None:
            held = np.flatnonzero(split.history.by_user.counts)
            folded = self._fold_in(split.history)
            self._folded = choose(model, "users", folded)
            self._folded_of[held] = folded.ids.encode(split.train.user_ids.decode(held), what="user")

    def _fold_in(self, history: Interactions) -> FoldedIn:
        return self.model.fold_in(
            history.take(np.ones(history.n_entries, np.bool_), prune=True),
            unknown="drop",
            n_threads=self._n_threads,
        )

    def lists(self, queries: Queries, k: int, *, n_threads: int | None) -> Lists:
        """Rank the items that have entries (or attributes), by score, then by position in the model."""
        model = self.model
        table = np.zeros((len(queries.users), model.item_table.shape[1]), np.float32)
        known = np.zeros(len(queries.users), np.bool_)
        for chosen, of in ((self._users, self._user_of), (self._folded, self._folded_of)):
            if chosen is None:
                continue
            index = of[queries.users]
            has = index >= 0
            some = index[has]
            usable = chosen.counts[some] > 0
            if chosen.features is not None:
                usable |= chosen.features.counts[some] > 0
            at = np.flatnonzero(has)[usable]
            table[at] = chosen.table[some[usable]]
            known[at] = True
        if model.item_biases is not None:
            table[:, -1] = 1
        listable = model.item_counts > 0
        if model.item_prior.features is not None:
            listable |= model.item_prior.features.counts > 0
        to_split = np.full(model.n_items, -1, np.int32)
        there = self._item_of >= 0
        to_split[self._item_of[there]] = np.flatnonzero(there)
        seen = translated(queries.seen, self._item_of, model.n_items)
        block = seen.block(0, seen.n_rows)
        offsets, items, _ = retrieval.top_k(
            table[known],
            retrieval.pack(
                model.item_table,
                candidates=np.flatnonzero(listable & (to_split >= 0)),
                n_queries=int(known.sum()),
                n_threads=n_threads,
            ),
            k,
            exclude_offsets=block.offsets,
            exclude_indices=block.indices,
            exclude_rows=np.flatnonzero(known).astype(np.int32),
            n_threads=n_threads,
        )
        items = to_split[items]
        if known.all():
            return Lists(offsets, items)
        popularity = np.zeros(len(self._item_of), np.int64)
        popularity[there] = model.item_counts[self._item_of[there]]
        rest = queries.seen.chosen(np.flatnonzero(~known).astype(np.int32))
        return _merged(known, Lists(offsets, items), by_popularity(popularity, rest, k, n_threads=n_threads))

    def predictions(self, users: Index, items: Index, times: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """Predict ratings, within the range of the training values."""
        model = self.model
        values = np.empty(len(users), np.float64)
        is_folded = self._folded_of[users] >= 0
        for chosen, of, some in (
            (self._users, self._user_of, ~is_folded),
            (self._folded, self._folded_of, is_folded),
        ):
            if chosen is None or not some.any():
                continue
            index = of[users[some]]
            days = None
            if chosen.day_biases is not None and times is not None:
                days = chosen.day_biases.at(index, day_of(times[some]))
            found = predictions(
                model,
                chosen,
                index,
                self._item_of[items[some]],
                day_biases=days,
                n_threads=self._n_threads,
            )
            values[some] = found if model.value_range is None else clipped(model, found)
        return values

    def item_vectors(self) -> NDArray[np.float32]:
        """Return the factors of the split's items, zeros for those that the model does not know."""
        vectors = np.zeros((len(self._item_of), self.model.n_factors), np.float32)
        there = self._item_of >= 0
        vectors[there] = self.model.item_factors[self._item_of[there]]
        return vectors


def check_not_trained_on(model: FactorModel, split: Split) -> None:
    """Refuse a model that has seen entries of the test part."""
    if model.history is None or split.test.n_entries == 0:
        return
    entries = split.test.entries()
    users = positions(split.test.user_ids, model.user_ids, "user")[entries.user_index].astype(np.int64)
    items = positions(split.test.item_ids, model.item_ids, "item")[entries.item_index]
    both = (users >= 0) & (items >= 0)
    asked = users[both] * model.n_items + items[both]
    rows = model.history.by_user
    learned = rows.row_index().astype(np.int64) * model.n_items
    learned += rows.block(0, rows.n_rows).indices
    at = np.minimum(np.searchsorted(learned, asked), max(len(learned) - 1, 0))
    n = int(np.count_nonzero(learned[at] == asked)) if len(learned) else 0
    if n:
        raise DataError(
            f"the model was trained on {n:,} of {counted(split.test.n_entries, 'entry')} of the test part, "
            "which it may know by heart; fit it on split.train, or pass the estimator"
        )


def positions(ids: IdMap, others: IdMap, what: str) -> Index:
    """Return where each id stands in another map, −1 where it does not: int32, shape (len(ids),)."""
    if ids is others or ids == others:
        return np.arange(len(ids), dtype=np.int32)
    if ids.kind != others.kind and len(ids) and len(others):
        raise DataError(
            f"{what} ids of the model are {others.kind}s and those of the split {ids.kind}s; "
            f"read both with the same {what}_kind"
        )
    return others.encode(ids.labels, what=what, unknown="mark")


def translated(rows: EntryRows, column_of: Index, n_columns: int) -> EntryRows:
    """Return rows in other positions of columns (−1 leaves an entry out), ascending within a row."""
    if len(column_of) == n_columns and np.array_equal(column_of, np.arange(n_columns)):
        return rows
    row, column = rows.row_index(), column_of[rows.block(0, rows.n_rows).indices]
    keep = column >= 0
    row, column = row[keep], column[keep]
    order = np.lexsort((column, row))
    offsets = np.zeros(rows.n_rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=rows.n_rows), out=offsets[1:])
    return EntryRows(offsets, column[order], n_columns)


def _merged(known: NDArray[np.bool_], first: Lists, rest: Lists) -> Lists:
    """Return the lists of `known` users from `first`, and those of the others from `rest`."""
    counts = np.empty(len(known), np.int64)
    counts[known], counts[~known] = np.diff(first.offsets), np.diff(rest.offsets)
    offsets = np.zeros(len(known) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    of_known = np.repeat(known, counts)
    items = np.empty(int(offsets[-1]), np.int32)
    items[of_known], items[~of_known] = first.items, rest.items
    return Lists(offsets, items)
