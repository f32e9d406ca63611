"""One thread for small work: finding out how many there are takes longer than the work itself."""

from alternant.kernels._threads import resolve_threads

SMALL = 1 << 16  # rows


def threads_for(n_rows: int, n_threads: int | None) -> int:
    """Return how many threads work on `n_rows` rows: 1 where they are few and no number was asked for."""
    return 1 if n_threads is None and n_rows < SMALL else resolve_threads(n_threads)
