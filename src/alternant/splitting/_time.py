"""Everything after a moment."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions, unix_seconds
from alternant.splitting._split import Split


def time_split(interactions: Interactions, *, test_fraction: float | None = None, at: Any = None) -> Split:
    """Put all entries from a moment on aside as a test set: what is to be told is the future.

    Entries of the same time stay together, so that the test part may be somewhat larger than asked for. Users
    and items that come up later are cold, and counted.

    Parameters
    ----------
    interactions : Interactions with times
    test_fraction : share of the entries that go to the test set, in (0, 1); 0.1 where `at` is not given
    at : the moment instead: the first time of the test part, a number as in the data or a datetime

    Returns
    -------
    Split

    Raises
    ------
    DataError : no times; a setting out of range; both; a part would be empty

    Examples
    --------
    >>> data = Interactions.from_arrays([1, 1, 2, 3], [1, 2, 1, 2], times=[10, 20, 30, 40])
    >>> time_split(data, at=30)
    Split(train=2 entries, test=2 entries, 2 cold users)
    """
    check_interactions(interactions)
    if at is not None and test_fraction is not None:
        raise DataError(f"pass test_fraction or at, got both: {test_fraction!r} and {at!r}")
    times = times_of(interactions)
    if at is not None:
        cut = int(unix_seconds(at)[0])
    else:
        share = 0.1 if test_fraction is None else test_fraction
        share = _settings.number("test_fraction", share, "a number between 0 and 1", lambda x: 0 < x < 1)
        cut = cut_before(times, len(times) - round(share * len(times)))
    test = times >= cut
    if test.all() or not test.any():
        where = "test" if not test.any() else "training"
        raise DataError(
            f"a split by time at {cut} leaves the {where} part empty; the times are "
            f"{times.min()} to {times.max()}"
        )
    return Split(
        train=interactions.take(~test), test=interactions.take(test), how=f"from time {cut} on aside"
    )


def times_of(interactions: Interactions) -> NDArray[np.int64]:
    """Return the times of entries, or raise DataError where there are none."""
    times = interactions.by_user.times
    if times is None or len(times) == 0:
        raise DataError("a split by time needs times, and these interactions have none; name a time column")
    return times


def cut_before(times: NDArray[np.int64], place: int) -> int:
    """Return the time at `place` in rising order."""
    place = min(max(place, 0), len(times) - 1)
    return int(np.partition(times, place)[place])
