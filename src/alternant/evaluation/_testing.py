"""The test part of a split as questions to models, and what one model answered."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.evaluation._asked import Asked, Relevant, queries, relevant
from alternant.evaluation._asking import AskedModel
from alternant.evaluation._measuring import PerUser, of_lists, of_ratings
from alternant.evaluation._report import Slice
from alternant.evaluation.baselines import Baseline, Lists, Queries
from alternant.evaluation.baselines._fitted import Fitted
from alternant.metrics import catalogue_metrics, quantile_groups, ranking_metrics, recall_of_groups
from alternant.splitting import Split

Floats = NDArray[np.float64]


class Measured:
    """What one model did: numbers of users, of the catalogue, and its lists and squared errors."""

    def __init__(
        self,
        per_user: tuple[PerUser, ...],
        catalogue: dict[str, float],
        lists: Lists | None,
        predicted: Floats | None,
    ) -> None:
        self.per_user, self.catalogue, self.lists, self.predicted = per_user, catalogue, lists, predicted


class Test:
    """The test part of a split, and what is asked of models about it."""

    def __init__(self, split: Split, wanted: Asked, relevant_from: float | None, *, implicit: bool) -> None:
        self.split, self.wanted = split, wanted
        self.relevant: Relevant | None = None
        self.queries: Queries | None = None
        if wanted.ranks:
            self.relevant = relevant(split, relevant_from, implicit=implicit)
            self.queries = queries(split, self.relevant.users)
        self.users = split.test_users if self.relevant is None or wanted.ratings else self.relevant.users
        self.ratings = split.test.entries()
        if wanted.ratings and self.ratings.values is None:
            raise DataError(f"{wanted.ratings[0]} needs values (ratings), and the test part has none")
        self.vectors: NDArray[np.float32] | None = None

    def of(self, model: Fitted, n_threads: int | None) -> Measured:
        """Ask one model."""
        lists: Lists | None = None
        predicted: Floats | None = None
        per_user: list[PerUser] = []
        catalogue: dict[str, float] = {}
        wanted = self.wanted
        if self.relevant is not None and self.queries is not None and _can(model, "lists"):
            lists = model.lists(self.queries, wanted.k or 1, n_threads=n_threads)
            per_user += self._of_lists(self.relevant, self.queries, lists)
            catalogue = self._of_catalogue(self.queries, lists, model)
        if wanted.ratings and _can(model, "predictions"):
            entries = self.ratings
            predicted = model.predictions(entries.user_index, entries.item_index, entries.times)
            actual = cast("NDArray[np.float32]", entries.values).astype(np.float64)
            place = np.searchsorted(self.users, entries.user_index).astype(np.int32)
            per_user += [
                of_ratings(each, place, len(self.users), predicted, actual) for each in wanted.ratings
            ]
        return Measured(tuple(per_user), catalogue, lists, predicted)

    def _of_lists(self, wanted: Relevant, asked_for: Queries, lists: Lists) -> list[PerUser]:
        if not self.wanted.lists:
            return []
        n_items = self.split.train.n_items
        found = ranking_metrics(
            lists.offsets,
            lists.items,
            wanted.offsets,
            wanted.items,
            metrics=self.wanted.lists,
            n_items=n_items,
            n_candidates=n_items - asked_for.seen.counts,
            gains=wanted.gains,
        )
        if len(self.users) == len(wanted.users):
            return [of_lists(each, values) for each, values in found.items()]
        place = np.searchsorted(self.users, wanted.users)
        spread = []
        for each, values in found.items():
            among = np.full(len(self.users), np.nan)
            among[place] = values
            spread.append(of_lists(each, among))
        return spread

    def _of_catalogue(self, asked_for: Queries, lists: Lists, model: Fitted) -> dict[str, float]:
        if not self.wanted.catalogue:
            return {}
        counts = self.split.train.by_item.counts
        seen = asked_for.seen
        totals = np.bincount(
            seen.row_index(), counts[seen.block(0, seen.n_rows).indices].astype(np.float64), seen.n_rows
        )
        usual = np.where(seen.counts > 0, totals / np.maximum(seen.counts, 1), np.nan)
        if self.vectors is None and isinstance(model, AskedModel):
            self.vectors = model.item_vectors()
        return catalogue_metrics(
            lists.offsets,
            lists.items,
            metrics=[
                each
                for each in self.wanted.catalogue
                if self.vectors is not None or not each.startswith("intra_list")
            ],
            item_counts=counts,
            n_users=int(np.count_nonzero(self.split.train.by_user.counts)),
            history_popularity=usual,
            item_vectors=self.vectors,
        )

    def slices(self, models: list[Fitted], measured: list[Measured]) -> tuple[Slice, ...]:
        """Return the first metric by user activity, and recall by item popularity or errors by coldness."""
        primary, found = self.wanted.primary, []
        counts = self.split.known_user_counts
        chosen = np.zeros(len(counts), np.bool_)
        chosen[self.users] = True
        groups = quantile_groups(counts, chosen=chosen)
        of_user = groups.of[self.users]
        for model, numbers in zip(models, measured, strict=True):
            for one in numbers.per_user:
                if one.name != primary:
                    continue
                for group, label in enumerate(groups.labels):
                    some = of_user == group
                    value = one.over(some)
                    n = int(np.count_nonzero(some & ~np.isnan(one.values)))
                    found.append(Slice("user entries", label, model.name, primary, value, n))
        if primary in self.wanted.ratings:
            return (*found, *self._by_coldness(models, measured))
        if self.relevant is not None and primary in self.wanted.lists:
            found += self._by_popularity(models, measured, self.relevant)
        return tuple(found)

    def _by_popularity(self, models: list[Fitted], measured: list[Measured], wanted: Relevant) -> list[Slice]:
        counts = self.split.train.by_item.counts
        chosen = np.zeros(len(counts), np.bool_)
        chosen[wanted.items] = True
        groups = quantile_groups(counts, chosen=chosen)
        k = int(self.wanted.primary.partition("@")[2])
        found = []
        for model, numbers in zip(models, measured, strict=True):
            if numbers.lists is None:
                continue
            values, n = recall_of_groups(
                *numbers.lists,
                wanted.offsets,
                wanted.items,
                k=k,
                n_items=len(counts),
                group_of_item=groups.of,
                n_groups=len(groups.labels),
            )
            found += [
                Slice("item entries", label, model.name, f"recall@{k}", float(values[group]), int(n[group]))
                for group, label in enumerate(groups.labels)
            ]
        return found

    def _by_coldness(self, models: list[Fitted], measured: list[Measured]) -> list[Slice]:
        cold = self.split.is_cold_entry
        found: list[Slice] = []
        if not cold.any() or cold.all():
            return found
        actual = cast("NDArray[np.float32]", self.ratings.values).astype(np.float64)
        for model, numbers in zip(models, measured, strict=True):
            if numbers.predicted is None:
                continue
            for label, some in (("warm", ~cold), ("cold user or item", cold)):
                n = int(np.count_nonzero(some))
                one = of_ratings(
                    self.wanted.primary, np.zeros(n, np.int32), 1, numbers.predicted[some], actual[some]
                )
                found.append(Slice("entry", label, model.name, one.name, one.over(), n))
        return found


def _can(model: Fitted, what: str) -> bool:
    """Return whether a model ranks ("lists") or rates ("predictions"): one that cannot refuses."""
    return not isinstance(model, Baseline) or getattr(type(model), what) is not getattr(Baseline, what)
