"""Whole users held out: some of their entries are the history, the others the target."""

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions
from alternant.splitting._draws import id_keys, ranks_of
from alternant.splitting._last import Order, places_from_end
from alternant.splitting._split import Split


def strong_split(
    interactions: Interactions,
    *,
    user_fraction: float | None = None,
    n_users: int | None = None,
    target_fraction: float = 0.2,
    order: Order = "random",
    seed: int = 0,
) -> Split:
    """Hold whole users out: a model of the others is asked about them by what they have in `history`.

    This is strong generalisation. The test part is the target; a user with a single entry has it in
    `history` and nothing in the target.

    Parameters
    ----------
    interactions : Interactions
    user_fraction : share of the users with entries that are held out, in (0, 1); 0.1 by default
    n_users : how many instead
    target_fraction : share of a held-out user's entries that are the target, in (0, 1), rounded; at least one
    order : "random": a draw by `seed`; "time": the latest; "auto": by time where there are times
    seed : integer in [0, 2^64)

    Returns
    -------
    Split

    Raises
    ------
    DataError : a setting out of range; both `user_fraction` and `n_users`; "time" without times

    Examples
    --------
    >>> data = Interactions.from_arrays([1, 1, 2, 2], [1, 2, 1, 2])
    >>> strong_split(data, n_users=1)
    Split(train=2 entries, test=1 entry, history=1 entry)
    """
    check_interactions(interactions)
    if user_fraction is not None and n_users is not None:
        raise DataError(f"pass user_fraction or n_users, got both: {user_fraction!r} and {n_users!r}")
    active = np.flatnonzero(interactions.by_user.counts)
    if n_users is not None:
        n_out = _settings.integer("n_users", n_users, 1)
    else:
        share = 0.1 if user_fraction is None else user_fraction
        share = _settings.number("user_fraction", share, "a number between 0 and 1", lambda x: 0 < x < 1)
        n_out = round(share * len(active))
    if not 0 < n_out < len(active):
        raise DataError(
            f"between 1 and {max(len(active) - 1, 0)} of {len(active)} users with entries can be held out, "
            f"got {n_out}"
        )
    out = np.zeros(interactions.n_users, np.bool_)
    ranks = ranks_of(id_keys(interactions.user_ids, seed)[active])
    out[active[ranks < n_out]] = True
    return hold_out(interactions, out, target_fraction=target_fraction, order=order, seed=seed)


def hold_out(
    interactions: Interactions,
    out: NDArray[np.bool_],
    *,
    target_fraction: float,
    order: Order,
    seed: int,
) -> Split:
    """Hold the users `out` (bool, shape (n_users,)) out; see :func:`strong_split`."""
    share = _settings.number(
        "target_fraction", target_fraction, "a number between 0 and 1", lambda x: 0 < x < 1
    )
    counts = interactions.by_user.counts
    n_target = np.clip(np.rint(share * counts).astype(np.int64), 1, np.maximum(counts - 1, 0))
    from_end, by_time = places_from_end(interactions, order=order, seed=seed)
    held = np.repeat(out, counts)
    target = held & (from_end < np.repeat(n_target, counts))
    return Split(
        train=interactions.take(~held),
        test=interactions.take(target),
        history=interactions.take(held & ~target),
        how=f"{np.count_nonzero(out):,} users held out, {share:.4g} of their entries as the target"
        + (" by time" if by_time else "")
        + f", seed {seed}",
    )
