"""How sure a sampled model is of a pair: the standard deviation of what its draws predict."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant._settings import choice
from alternant.errors import DataError
from alternant.model.choosing import choose
from alternant.model.draws import Draws
from alternant.model.folding import FoldedIn
from alternant.model.pairs import paired

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot


def pair_spread(
    model: "Snapshot", draws: Draws, users: Any, items: Any, *, of: str, n_threads: int
) -> NDArray[np.float32] | float:
    """Return standard deviations of pairs; see :meth:`FactorModel.uncertainty`.

    Of users who are folded in, each draw of the items has one draw, whose random numbers belong to their ids
    and the fit's seed.
    """
    choice("of", of, ("score", "rating"))
    if draws.n_draws < 2:
        raise DataError("the spread of draws needs at least 2, and this model kept 1; raise n_kept")
    u, i = choose(model, "users", users), choose(model, "items", items)
    u_index, i_index = paired(u, i, users)
    found = np.empty((draws.n_draws, len(u_index)))
    for draw in range(draws.n_draws):
        table = draws.users.tables[draw]
        if isinstance(users, FoldedIn):
            table = draws.rows(
                "users",
                draw,
                model.prepared(users.history, own="users").by_user,
                users.features,
                hashes=users.history.user_ids.hashes,
                other_hashes=users.history.item_ids.hashes,
                seed=int(model.settings.get("seed", 0)),
                perturbed=True,
                n_threads=n_threads,
            )
        found[draw] = draws.predictions(draw, table[u_index], i_index)
    variance = found.var(axis=0, ddof=1)
    if of == "rating":
        variance += draws.noise**2
    deviations = np.sqrt(variance).astype(np.float32)
    return float(deviations[0]) if u.is_scalar and i.is_scalar else deviations
