"""A random share of the entries."""

from alternant import _settings
from alternant.interactions import Interactions, check_interactions
from alternant.splitting._draws import entry_keys, ranks_of
from alternant.splitting._split import Split


def random_split(interactions: Interactions, *, test_fraction: float = 0.1, seed: int = 0) -> Split:
    """Put a random share of the entries aside as a test set.

    Parameters
    ----------
    interactions : Interactions
    test_fraction : share of the entries that go to the test set, in (0, 1)
    seed : integer in [0, 2^64)

    Returns
    -------
    Split

    Raises
    ------
    DataError : `test_fraction` or `seed` out of range

    Examples
    --------
    >>> data = Interactions.from_arrays([1, 1, 2, 2], [1, 2, 1, 2])
    >>> random_split(data, test_fraction=0.25)
    Split(train=3 entries, test=1 entry)
    """
    check_interactions(interactions)
    share = _settings.number("test_fraction", test_fraction, "a number between 0 and 1", lambda x: 0 < x < 1)
    ranks = ranks_of(entry_keys(interactions, seed))
    test = ranks < round(share * interactions.n_entries)
    return Split(
        train=interactions.take(~test),
        test=interactions.take(test),
        how=f"a random {share:.4g} of the entries aside, seed {seed}",
    )
