"""Ratings by Gibbs sampling: predictions averaged over draws from the posterior; no ridge to choose."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from alternant import _settings
from alternant.als._fitting import check_not_empty
from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.kernels import random, resolve_threads
from alternant.objective import Float64, Side, Table, fit_biases
from alternant.training import draw_noise, draw_prior, draw_side, scores, squared_residuals

Index = npt.NDArray[np.integer]
Pairs = tuple[Index, Index]

START_SCALE = 0.3
DEFAULT_KEPT = 20


@dataclass(frozen=True, eq=False)
class Sampled:
    """Draws from the posterior of a model of ratings.

    Attributes
    ----------
    user_tables, item_tables : float32, shapes (n_kept, n, n_factors + 1) with n users or items
        The draws kept, biases last, in the units of the values.
    item_means : float32, shape (n_kept, n_items, n_factors + 1)
        The mean of the items' posterior given each draw of the users: averages of predictions from them have
        far less chance in them than averages over as many draws.
    mean : float
        What scores are added to.
    sigmas : float64, shape (burn_in + n_samples,)
        The standard deviation of the noise after each sweep.
    pair_means, pair_deviations : float64, shape (n_pairs,), or None
        Mean and standard deviation of the predictions for `pairs`, over all samples.
    """

    user_tables: Table
    item_tables: Table
    item_means: Table
    mean: float
    sigmas: Float64
    pair_means: Float64 | None = None
    pair_deviations: Float64 | None = None

    @property
    def n_kept(self) -> int:
        """The number of draws kept."""
        return len(self.user_tables)

    def predict(self, user_index: Index, item_index: Index) -> tuple[Float64, Float64]:
        """Return mean and standard deviation of the predictions for pairs, over the draws kept.

        Parameters
        ----------
        user_index, item_index : integers, shape (n_pairs,)
            Positions.

        Returns
        -------
        mean : float64, shape (n_pairs,)
            Not clipped to the range of the values.
        deviation : float64, shape (n_pairs,)
            How far draws of the prediction lie apart, the noise of a single value not included.
        """
        draws, means = _Average(len(user_index)), _Average(len(user_index))
        for users, items, item_means in zip(self.user_tables, self.item_tables, self.item_means, strict=True):
            draws.add(scores(users, items, user_index, item_index))
            means.add(scores(users, item_means, user_index, item_index))
        return self.mean + means.mean, draws.deviation


class _Average:
    """A running mean and variance (Welford's)."""

    def __init__(self, n: int) -> None:
        self.count = 0
        self.mean = np.zeros(n)
        self._squares = np.zeros(n)

    def add(self, numbers: Float64) -> None:
        self.count += 1
        step = numbers - self.mean
        self.mean += step / self.count
        self._squares += step * (numbers - self.mean)

    @property
    def deviation(self) -> Float64:
        """0 where there is one draw."""
        return np.sqrt(self._squares / max(self.count - 1, 1))


def sample_explicit(
    interactions: Interactions,
    *,
    n_factors: int = 32,
    n_samples: int = 100,
    burn_in: int = 20,
    n_kept: int | None = None,
    seed: int = 0,
    n_threads: int | None = None,
    pairs: Pairs | None = None,
) -> Sampled:
    """Draw models of ratings from their posterior by Gibbs sampling.

    The model is value ~ N(mean + b_u + b_i + p_u·q_i, σ²/w). The rows (p_u, b_u) of all users have one normal
    prior, those of the items another; both priors and σ are drawn along, so there is no ridge to choose.

    Parameters
    ----------
    interactions : Interactions
        With values.
    n_factors : int
    n_samples, burn_in : int
        Sweeps that count, after sweeps that do not.
    n_kept : int, optional
        How many of the samples to keep, evenly spaced; None: 20, or all if they are fewer.
        Three tables are kept of each.
    seed : int
        From 0 to 2⁶⁴ − 1. The same seed and data give the same bits, for any number of threads.
    n_threads : int, optional
        None: what the machine offers.
    pairs : tuple of integer arrays of shape (n_pairs,), optional
        Positions of users and items to predict with every sample, kept or not.

    Raises
    ------
    DataError
        No interactions, no values, or a setting out of its range.

    Examples
    --------
    >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5.0, 3.0, 4.0])
    >>> sampled = sample_explicit(data, n_factors=1, n_samples=4, burn_in=2)
    >>> prediction, deviation = sampled.predict(np.array([1]), np.array([1]))
    >>> prediction.shape, deviation.shape
    ((1,), (1,))
    """
    check_not_empty(interactions)
    if not interactions.has_values:
        raise DataError(
            "sampling needs values (ratings), got interactions without; name the value column with value="
        )
    n_factors = _settings.integer("n_factors", n_factors, 1)
    n_samples = _settings.integer("n_samples", n_samples, 1)
    burn_in = _settings.integer("burn_in", burn_in, 0)
    if n_kept is None:
        n_kept = min(DEFAULT_KEPT, n_samples)
    n_kept = _settings.integer("n_kept", n_kept, 1, n_samples)
    seed = _settings.integer("seed", seed, 0, 2**64 - 1)
    n_threads = resolve_threads(n_threads)
    bias_model = fit_biases(interactions, center=True, n_threads=n_threads)
    mean, scale = bias_model.mean, bias_model.scale or 1.0
    rows = {"users": interactions.by_user, "items": interactions.by_item}
    hashes = {"users": interactions.user_ids.hashes, "items": interactions.item_ids.hashes}
    tables = {
        side: _start(hashes[side], n_factors, biases / scale, owner, seed, n_threads)
        for side, biases, owner in (
            ("users", bias_model.user_biases, random.Side.USERS),
            ("items", bias_model.item_biases, random.Side.ITEMS),
        )
    }
    # Numbers that belong to no id: a stream of this seed's own.
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    noise = 1.0
    kept_at = {burn_in + (number + 1) * n_samples // n_kept - 1 for number in range(n_kept)}
    average = None if pairs is None else _Average(len(pairs[0]))
    user_tables, item_tables, item_means = [], [], []
    sigmas = np.empty(burn_in + n_samples)
    steps: tuple[tuple[Side, Side], ...] = (("users", "items"), ("items", "users"))
    back = np.append(np.full(n_factors, math.sqrt(scale)), scale).astype(np.float32)
    for sweep in range(burn_in + n_samples):
        for side, other in steps:
            draw = partial(
                draw_side,
                side,
                rows[side],
                tables[other],
                draw_prior(tables[side][rows[side].counts > 0], generator, n_threads=n_threads),
                noise=noise,
                mean=mean,
                scale=scale,
                row_hashes=hashes[side],
                fixed_hashes=hashes[other],
                seed=seed,
                sweep=sweep,
                n_threads=n_threads,
            )
            tables[side] = draw()
            if side == "items" and sweep in kept_at:
                item_means.append(draw(perturbed=False) * back)
        users, items = tables["users"], tables["items"]
        square = squared_residuals(rows["users"], users, items, mean=mean, scale=scale)
        noise = draw_noise(square, interactions.n_entries, generator)
        sigmas[sweep] = noise * scale
        if sweep < burn_in:
            continue
        if average is not None and pairs is not None:
            average.add(mean + scale * scores(users, items, *pairs))
        if sweep in kept_at:
            user_tables.append(users * back)
            item_tables.append(items * back)
    return Sampled(
        np.stack(user_tables),
        np.stack(item_tables),
        np.stack(item_means),
        mean,
        sigmas,
        None if average is None else average.mean,
        None if average is None else average.deviation,
    )


def _start(
    hashes: npt.NDArray[np.uint64],
    n_factors: int,
    biases: Float64,
    owner: random.Side,
    seed: int,
    n_threads: int,
) -> Table:
    factors = random.standard_normal(
        hashes, n_factors, seed=seed, purpose=random.Purpose.START, side=owner, n_threads=n_threads
    )
    factors *= np.float32(START_SCALE / math.sqrt(n_factors))
    return np.concatenate([factors, biases.astype(np.float32)[:, None]], axis=1)
