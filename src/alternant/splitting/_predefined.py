"""Parts that somebody else made, brought under the same ids."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant._words import counted
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import Interactions, check_interactions
from alternant.splitting._split import Split


def predefined_split(
    train: Interactions,
    test: Interactions,
    *,
    history: Interactions | None = None,
    overlap: Literal["error", "drop"] = "error",
) -> Split:
    """Make a split of parts that are given, such as published training and test files.

    The ids of all parts are brought together: those of `train` keep their positions.

    Parameters
    ----------
    train, test : Interactions
    history : Interactions of users who are not in `train`, to be folded in, or None
    overlap : what becomes of entries of `test` whose pair is in `train` or `history` too, which a model
        could learn by heart: an error, or they are left out of `test`

    Returns
    -------
    Split

    Raises
    ------
    DataError : overlapping parts; a user of `history` is in `train`; ids of different kinds

    Examples
    --------
    >>> train = Interactions.from_arrays(["ann", "bob"], ["x", "y"])
    >>> predefined_split(train, Interactions.from_arrays(["ann"], ["z"]))
    Split(train=2 entries, test=1 entry, 1 cold item)
    """
    _settings.choice("overlap", overlap, ("error", "drop"))
    for part in (train, test, *(() if history is None else (history,))):
        check_interactions(part)
    others = [part for part in (history, test) if part is not None]
    for part in others:
        train = train.grown(user_labels=part.user_ids.labels, item_labels=part.item_ids.labels)
    test = _under(test, train.user_ids, train.item_ids)
    if history is not None:
        history = _under(history, train.user_ids, train.item_ids)
        both = np.flatnonzero((train.by_user.counts > 0) & (history.by_user.counts > 0))
        if len(both):
            raise DataError(
                f"users of the history must not be in the training part, got {counted(len(both), 'user')} "
                f"such as {train.user_ids.decode(both[:1]).tolist()[0]!r}"
            )
    twice = np.zeros(test.n_entries, np.bool_)
    for known in (train, history):
        if known is not None:
            twice |= np.isin(_pairs(test), _pairs(known), assume_unique=True)
    if twice.any():
        if overlap == "error":
            first = int(twice.argmax())
            entries = test.entries()
            user = test.user_ids.decode(entries.user_index[first : first + 1]).tolist()[0]
            item = test.item_ids.decode(entries.item_index[first : first + 1]).tolist()[0]
            raise DataError(
                f"the test part has {counted(int(twice.sum()), 'entry')} that the other parts have too, such "
                f'as user {user!r}, item {item!r}; overlap="drop" leaves them out of the test part'
            )
        test = test.take(~twice)
    return Split(train=train, test=test, history=history, how="predefined")


def _under(part: Interactions, user_ids: IdMap, item_ids: IdMap) -> Interactions:
    """Return the same entries under larger id maps."""
    if part.user_ids == user_ids and part.item_ids == item_ids:
        return part
    users = user_ids.encode(part.user_ids.labels, what="user")
    items = item_ids.encode(part.item_ids.labels, what="item")
    entries = part.entries()
    return Interactions.from_codes(
        user_ids,
        item_ids,
        user_index=users[entries.user_index],
        item_index=items[entries.item_index],
        values=entries.values,
        weights=entries.weights,
        times=entries.times,
    )


def _pairs(part: Interactions) -> NDArray[np.int64]:
    """Return a number for each pair: int64, shape (n_entries,)."""
    entries = part.entries()
    return entries.user_index.astype(np.int64) * part.n_items + entries.item_index
