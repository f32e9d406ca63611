"""Made-up ratings of a given shape: power-law items, log-normal users, tastes by group; the same bytes for
the same seed.

"1M", "20M" and "100M" have one shape at three scales: the mean number of entries of a user and of an item
is that of MovieLens-20M. Tables are kept in a folder as .npy files, so that each process reads them in no
time.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FORMAT = 1  # part of the folder's name: raise it when the same seed gives other bytes
N_GROUPS = 32  # of items; a user prefers three
TASTE = 0.7  # the share of his entries that lies in those
MANY = 100  # a user who wants more than this part of all items is drawn in another way
ROUNDS = 12
ENTRIES_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Size:
    """How much data.

    n_users, n_items, n_entries : int; the entries made may be some thousandths fewer
    spread : σ of the logarithm of a user's number of entries
    exponent, offset : the item of rank r has popularity (r + offset · n_items)^-exponent
    """

    n_users: int
    n_items: int
    n_entries: int
    spread: float = 1.2
    exponent: float = 2.0
    offset: float = 0.02


SIZES = {
    "tiny": Size(300, 200, 6_000),
    "1M": Size(6_925, 1_337, 1_000_000),
    "20M": Size(138_493, 26_744, 20_000_000),
    "100M": Size(692_465, 133_720, 100_000_000),
    "gowalla": Size(29_858, 40_981, 810_000, spread=0.75, exponent=1.5, offset=0.05),
}


@dataclass(frozen=True, eq=False)
class Ratings:
    """Entries by user: row u is items[offsets[u]:offsets[u + 1]].

    offsets : int64, shape (n_users + 1,)
    items : int32, shape (n_entries,), rising within a row
    values : float32, shape (n_entries,), 0.5 to 5
    """

    n_items: int
    offsets: np.ndarray
    items: np.ndarray
    values: np.ndarray

    @property
    def n_users(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_entries(self) -> int:
        return len(self.items)

    def users(self) -> np.ndarray:
        """Return the user of each entry: int32, shape (n_entries,)."""
        return np.repeat(np.arange(self.n_users, dtype=np.int32), np.diff(self.offsets))

    def transposed(self) -> "Ratings":
        """Return the entries by item."""
        order = np.argsort(self.items, kind="stable")
        counts = np.bincount(self.items, minlength=self.n_items)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return Ratings(self.n_users, offsets, self.users()[order], self.values[order])

    def save(self, folder: Path) -> None:
        """Write beside `folder`, then rename."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=folder.parent))
        np.save(beside / "offsets.npy", self.offsets)
        np.save(beside / "items.npy", self.items)
        np.save(beside / "values.npy", self.values)
        np.save(beside / "n_items.npy", self.n_items)
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)

    @classmethod
    def load(cls, folder: Path) -> "Ratings":
        n_items, offsets, items, values = (
            np.load(Path(folder) / f"{name}.npy") for name in ("n_items", "offsets", "items", "values")
        )
        return cls(int(n_items), offsets, items, values)


def cache_folder() -> Path:
    """Return where data are kept unless --data says otherwise."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "alternant-benchmarks"


def made(name: str, *, seed: int = 0, folder: Path | None = None) -> Path:
    """Return the folder that holds the data of a size; they are made where they are not there yet."""
    path = (folder or cache_folder()) / f"{name}-seed{seed}-format{FORMAT}"
    if not path.exists():
        make(SIZES[name], seed=seed).save(path)
    return path


def make(size: Size, *, seed: int) -> Ratings:
    """Draw the data of a size."""
    rng = np.random.Generator(np.random.Philox(seed))
    wanted = _wanted_per_user(size, rng)
    all_items = _Items.drawn(size, rng)
    quality = rng.normal(0.0, 0.5, size.n_items)

    counts = np.zeros(size.n_users, np.int64)
    items, values = [], []
    starts = np.concatenate([[0], np.cumsum(wanted)])
    first = 0
    while first < size.n_users:
        last = int(np.searchsorted(starts, starts[first] + ENTRIES_AT_ONCE, side="right")) - 1
        last = min(max(last, first + 1), size.n_users)
        tastes = rng.integers(N_GROUPS, size=(last - first, 3))
        keys = _distinct_pairs(wanted[first:last], tastes, all_items, rng)
        user, item = keys // size.n_items, keys % size.n_items
        counts[first:last] = np.bincount(user, minlength=last - first)
        liked = (all_items.group[item][:, None] == tastes[user]).any(axis=1)
        mood = rng.normal(0.0, 0.4, last - first)
        value = 3.2 + quality[item] + mood[user] + 0.6 * liked + rng.normal(0.0, 0.8, len(keys))
        items.append(item.astype(np.int32))
        values.append((np.clip(np.round(2.0 * value), 1.0, 10.0) / 2.0).astype(np.float32))
        first = last
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return Ratings(size.n_items, offsets, np.concatenate(items), np.concatenate(values))


def _wanted_per_user(size: Size, rng: np.random.Generator) -> np.ndarray:
    """Return how many entries each user is to have: log-normal, at least 1, at most a third of the items."""
    raw = rng.lognormal(0.0, size.spread, size.n_users)
    most, share = size.n_items // 3, size.n_entries / raw.sum()
    for _ in range(20):  # what the most active may not have goes to the others
        counts = np.clip(raw * share, 1.0, most)
        share *= size.n_entries / counts.sum()
    whole = np.floor(np.clip(raw * share, 1.0, most)).astype(np.int64)
    whole[rng.permutation(size.n_users)[: max(size.n_entries - int(whole.sum()), 0)]] += 1
    return whole


@dataclass(frozen=True, eq=False)
class _Items:
    """The items as users see them.

    popularity : float64, shape (n_items,); group : int64, shape (n_items,)
    by_group : int64, shape (n_items,), positions of items, group after group
    ends : float64, shape (n_items + 1,), the running sum of popularities in that order
    bounds : float64, shape (N_GROUPS + 1,), where groups begin in `ends`
    """

    popularity: np.ndarray
    group: np.ndarray
    by_group: np.ndarray
    ends: np.ndarray
    bounds: np.ndarray

    @classmethod
    def drawn(cls, size: Size, rng: np.random.Generator) -> "_Items":
        popularity = (rng.permutation(size.n_items) + size.offset * size.n_items) ** -size.exponent
        group = rng.integers(N_GROUPS, size=size.n_items)
        by_group = np.argsort(group, kind="stable")
        ends = np.concatenate([[0.0], np.cumsum(popularity[by_group])])
        bounds = ends[np.searchsorted(group[by_group], np.arange(N_GROUPS + 1))]
        return cls(popularity, group, by_group, ends, bounds)

    def weights(self, tastes: np.ndarray) -> np.ndarray:
        """Return how likely a user of these tastes takes each item: float64, shape (n_items,)."""
        found = (1.0 - TASTE) * self.popularity / self.ends[-1]
        for each in tastes:
            mass = self.bounds[each + 1] - self.bounds[each]
            if mass > 0.0:
                found = found + (self.group == each) * (TASTE / len(tastes) / mass) * self.popularity
        return found


def _distinct_pairs(
    wanted: np.ndarray, tastes: np.ndarray, items: _Items, rng: np.random.Generator
) -> np.ndarray:
    """Return user · n_items + item for users 0, 1, …, rising, without duplicates: `wanted` of each user."""
    n_items = np.int64(len(items.popularity))
    many = wanted > max(n_items // MANY, 1)
    few = _drawn_again(np.where(many, 0, wanted), tastes, items, rng)
    parts = [few]
    for user in np.flatnonzero(many):
        # The first `wanted` of exponential waiting times are a draw without replacement.
        waits = rng.standard_exponential(n_items) / items.weights(tastes[user])
        parts.append(user * n_items + np.argpartition(waits, wanted[user] - 1)[: wanted[user]])
    return np.sort(np.concatenate(parts))


def _drawn_again(
    wanted: np.ndarray, tastes: np.ndarray, items: _Items, rng: np.random.Generator
) -> np.ndarray:
    """Return distinct pairs; what was drawn twice is drawn anew: quick where users want few items."""
    n_items = np.int64(len(items.popularity))
    found = np.empty(0, np.int64)
    missing = wanted
    for turn in range(ROUNDS):
        user = np.repeat(np.arange(len(wanted)), missing)
        if len(user) == 0:
            break
        group = tastes[user, rng.integers(tastes.shape[1], size=len(user))]
        anything = rng.random(len(user)) >= TASTE
        low = np.where(anything, 0.0, items.bounds[group])
        high = np.where(anything, items.ends[-1], items.bounds[group + 1])
        place = np.searchsorted(items.ends, low + rng.random(len(user)) * (high - low), side="right") - 1
        if turn >= ROUNDS // 2:  # whoever has all of his tastes takes anything
            place = rng.integers(n_items, size=len(user))
        item = items.by_group[np.clip(place, 0, n_items - 1)]
        # np.unique hashes first, which takes five times as long.
        found = np.sort(np.concatenate([found, user * n_items + item]))
        found = found[np.diff(found, prepend=-1) > 0]
        missing = wanted - np.bincount(found // n_items, minlength=len(wanted))
    return found
