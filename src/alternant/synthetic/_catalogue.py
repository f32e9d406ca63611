"""A generated catalogue of films: who rates what, and how, follows planted tastes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import Interactions
from alternant.synthetic import _titles

GENRES = _titles.GENRES

_MEAN = 3.5
_USER_SPREAD = 0.35
_FILM_SPREAD = 0.45
_TASTE_SPREAD = 0.75
_NOISE = 0.6
_CHOICE_BY_TASTE = 1.0  # how much more often people pick what they will like
_FEWEST = 8  # ratings of a user
_erf = np.frompyfunc(math.erf, 1, 1)
_BLOCK = 512  # users drawn at a time, so that memory does not grow with n_users · n_items


@dataclass(frozen=True, eq=False)
class Catalogue:
    """A generated catalogue: ratings, titles, and what was planted.

    Attributes
    ----------
    interactions : Interactions
        Ratings 1.0 to 5.0 in half stars. User ids are the integers 1..n_users, item ids 1..n_items; ids
        without ratings are included.
    titles : dict of int to str
        Item id to title, all distinct.
    genres : dict of int to tuple of str
        Item id to its main genre and its second genre.
    seed : int
        The seed that made it.
    user_bias, item_bias : float64, shape (n_users,) and (n_items,)
        What a user adds to every rating; how good a film is.
    user_taste : float64, shape (n_users, n_genres)
        How much a user likes each genre.
    item_genres : float64, shape (n_items, n_genres)
        1 at the main genre of a film, 0.5 at the second one.
    """

    interactions: Interactions
    titles: dict[int, str]
    genres: dict[int, tuple[str, str]]
    seed: int
    user_bias: NDArray[np.float64]
    item_bias: NDArray[np.float64]
    user_taste: NDArray[np.float64]
    item_genres: NDArray[np.float64]

    def expected(
        self, users: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> NDArray[np.float64]:
        """Return the average rating of pairs of ids, over the noise, with rounding and the scale's ends.

        No model can be expected to come nearer to the ratings: the RMSE of these against the ratings is a
        floor.

        Parameters
        ----------
        users, items : int, shape (n,)
            Ids of this catalogue, 1 to n_users and 1 to n_items.

        Returns
        -------
        float64, shape (n,)

        Examples
        --------
        >>> small = catalogue(n_users=50, n_items=40, n_entries=600, seed=1)
        >>> wanted = small.expected(np.array([1, 2]), np.array([7, 7]))
        >>> bool(((1 <= wanted) & (wanted <= 5)).all())
        True
        """
        u, i = np.asarray(users) - 1, np.asarray(items) - 1
        for what, index, n in (("user", u, len(self.user_bias)), ("item", i, len(self.item_bias))):
            if index.size and (index.min() < 0 or index.max() >= n):
                raise DataError(f"{what} ids of this catalogue are 1 to {n:,}")
        liking = np.einsum("nk,nk->n", self.user_taste[u], self.item_genres[i])
        clean = _MEAN + self.user_bias[u] + self.item_bias[i] + liking
        # A rating is 1 plus half a star for each step 1.5, 2.0, … 5.0 that the noisy value, rounded, reaches.
        steps = np.arange(1.25, 5.0, 0.5)
        reached = _erf((clean[:, None] - steps) / (_NOISE * math.sqrt(2))).astype(np.float64)
        return 1.0 + 0.25 * (1.0 + reached).sum(axis=1)  # type: ignore[no-any-return]


def catalogue(
    *, n_users: int = 2000, n_items: int = 1000, n_genres: int = 8, n_entries: int = 100_000, seed: int = 0
) -> Catalogue:
    """Generate ratings of titled films with planted tastes and power-law popularity.

    The rating of user u for film i is

        3.5 + b_u + b_i + t_u · g_i + noise,     rounded to half a star, kept within 1 and 5

    with b_u, b_i normal, g_i the film's two genres (weights 1 and 0.5), t_u the user's taste per genre, noise
    normal with standard deviation 0.6. The popularity of the film of rank j falls as 1/(j + 20)^0.9 whatever
    its quality. Users pick films by popularity and by taste, so which films somebody rated says something
    too, as in real data.

    Parameters
    ----------
    n_users, n_items : int
        How many of each, at least 2 users and 16 films.
    n_genres : int
        How many taste directions are planted, 2 to 8.
    n_entries : int
        About how many ratings: every user has at least 8 and at most half of the films.
    seed : int
        The same seed gives the same catalogue.

    Returns
    -------
    Catalogue

    Raises
    ------
    DataError
        A size is out of range.

    Examples
    --------
    >>> from alternant.synthetic import catalogue
    >>> small = catalogue(n_users=50, n_items=40, n_entries=600, seed=1)
    >>> small.interactions.n_users, len(small.titles)
    (50, 40)
    """
    _check(n_users=n_users, n_items=n_items, n_genres=n_genres, n_entries=n_entries)
    rng = np.random.default_rng(seed)
    genre_of = np.argsort(rng.random((n_items, n_genres)), axis=1)[:, :2]  # main and second genre
    weights = np.zeros((n_items, n_genres))
    np.put_along_axis(weights, genre_of, np.array([1.0, 0.5]), axis=1)
    film_bias = rng.normal(0.0, _FILM_SPREAD, n_items)
    log_popularity = -0.9 * np.log(rng.permutation(n_items) + 20.0)
    user_bias = rng.normal(0.0, _USER_SPREAD, n_users)
    taste = rng.normal(0.0, _TASTE_SPREAD, (n_users, n_genres))
    counts = _activity(rng, n_users, n_items, n_entries)

    user_index, item_index, wanted = [], [], []
    for begin in range(0, n_users, _BLOCK):
        block = slice(begin, min(begin + _BLOCK, n_users))
        liking = taste[block] @ weights.T
        # The largest of (log weight + Gumbel noise) are a draw without replacement, weighted.
        keys = log_popularity + _CHOICE_BY_TASTE * liking + rng.gumbel(size=liking.shape)
        order = np.argsort(-keys, axis=1)
        for row, n_rated in enumerate(counts[block]):
            films = np.sort(order[row, :n_rated])
            user_index.append(np.full(n_rated, begin + row))
            item_index.append(films)
            wanted.append(_MEAN + user_bias[begin + row] + film_bias[films] + liking[row, films])
    users, items, clean = (np.concatenate(parts) for parts in (user_index, item_index, wanted))
    ratings = np.clip(np.round(2.0 * (clean + rng.normal(0.0, _NOISE, len(clean)))) / 2.0, 1.0, 5.0)

    named = [(GENRES[main], GENRES[second]) for main, second in genre_of.tolist()]
    interactions = Interactions.from_arrays(
        users + 1,
        items + 1,
        ratings.astype(np.float32),
        user_ids=IdMap.from_labels(np.arange(1, n_users + 1))[0],
        item_ids=IdMap.from_labels(np.arange(1, n_items + 1))[0],
    )
    return Catalogue(
        interactions=interactions,
        titles=dict(enumerate(_titles.invent(named, rng), start=1)),
        genres=dict(enumerate(named, start=1)),
        seed=seed,
        user_bias=user_bias,
        item_bias=film_bias,
        user_taste=taste,
        item_genres=weights,
    )


def _check(*, n_users: int, n_items: int, n_genres: int, n_entries: int) -> None:
    if n_users < 2:
        raise DataError(f"n_users must be at least 2, got {n_users!r}")
    if n_items < 2 * _FEWEST:
        raise DataError(f"n_items must be at least {2 * _FEWEST}, got {n_items!r}")
    if not 2 <= n_genres <= len(GENRES):
        raise DataError(f"n_genres must be 2 to {len(GENRES)}, got {n_genres!r}")
    least, most = _FEWEST * n_users, n_users * (n_items // 2)
    if not least <= n_entries <= most:
        raise DataError(
            f"n_entries must be {least:,} to {most:,} for {n_users:,} users and {n_items:,} items, "
            f"got {n_entries!r}"
        )


def _activity(rng: np.random.Generator, n_users: int, n_items: int, n_entries: int) -> NDArray[np.int64]:
    """Return how many films each user rated: log-normal, a few heavy users and many light ones."""
    share = rng.lognormal(0.0, 0.9, n_users)
    extra = (n_entries - _FEWEST * n_users) * share / share.sum()
    counts = _FEWEST + np.round(extra).astype(np.int64)
    return np.asarray(np.minimum(counts, n_items // 2), dtype=np.int64)
