"""The table of the introduction."""

import numpy as np

from alternant.interactions import Interactions


def example() -> Interactions:
    """Return the 4 × 4 table of the introduction: four users, four films, four unknown cells.

    ====== ====== ====== ====== ======
    .      film 1 film 2 film 3 film 4
    ====== ====== ====== ====== ======
    user 1 5      3      ?      1
    user 2 4      ?      2      1
    user 3 ?      4      5      3
    user 4 1      1      ?      5
    ====== ====== ====== ====== ======

    Examples
    --------
    >>> from alternant.synthetic import example
    >>> table = example()
    >>> table.n_users, table.n_items, table.n_entries
    (4, 4, 12)
    """
    cells = {
        "user 1": {"film 1": 5, "film 2": 3, "film 4": 1},
        "user 2": {"film 1": 4, "film 3": 2, "film 4": 1},
        "user 3": {"film 2": 4, "film 3": 5, "film 4": 3},
        "user 4": {"film 1": 1, "film 2": 1, "film 4": 5},
    }
    rows = [(user, film, rating) for user, films in cells.items() for film, rating in films.items()]
    users, films, ratings = zip(*rows, strict=True)
    return Interactions.from_arrays(list(users), list(films), np.array(ratings, np.float32))
