"""The loop of a sampled fit: priors, coefficients and rows of users, the same of items, and the noise."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alternant.interactions import EntryRows, Interactions
from alternant.kernels import random
from alternant.model import TraceEntry
from alternant.model.draws import Draws, SideDraws
from alternant.objective import BiasModel, Float64, Side, Table, other, rows_of
from alternant.prior import PriorPart, attribute_part, link_part, prior_mean
from alternant.sampling import (
    PENALTY,
    CoefficientSampler,
    Hashes,
    NormalPrior,
    coefficient_sampler,
    draw_noise,
    draw_prior,
    draw_side,
    squared_residuals,
)
from alternant.training._loop import Callback, HalfSweep, decrease, read_only

logger = logging.getLogger("alternant.training")

START_SCALE = 0.3


@dataclass(frozen=True, eq=False)
class GibbsSide:
    """One side, as the loop needs it.

    rows : EntryRows, prepared
    hashes : uint64, shape (n_rows,), those of its ids
    active : int32, the rows that have entries
    parts : PriorPart of all rows, behind the shifts of their prior means
    sampler : what draws the coefficients of these parts; None without parts
    """

    side: Side
    rows: EntryRows
    hashes: Hashes
    active: np.ndarray[tuple[int], np.dtype[np.int32]]
    parts: Sequence[PriorPart]
    sampler: CoefficientSampler | None


@dataclass(frozen=True, eq=False)
class Parameters:
    """What the rows of a side are drawn under, but for the other side: prior, coefficients and noise."""

    prior: NormalPrior
    coefficients: Sequence[Table]
    noise: float


@dataclass(frozen=True, eq=False)
class Sampled:
    """What a sampled fit leaves.

    draws : Draws, those kept
    trace : one entry for each sweep: Σ w (t − prediction)² of its draw
    stopped : why it ended, in words
    """

    draws: Draws
    trace: tuple[TraceEntry, ...]
    stopped: str


@dataclass(frozen=True, eq=False)
class _Kept:
    """A draw of a side, and what its rows were drawn under, or will be next."""

    table: Table
    parameters: Parameters


class _Chain:
    """Where a chain is: both tables, the coefficients and the noise, in units of the bias model's scale."""

    def __init__(
        self,
        users: GibbsSide,
        items: GibbsSide,
        bias_model: BiasModel,
        *,
        n_factors: int,
        seed: int,
        n_threads: int,
    ) -> None:
        self.sides: dict[Side, GibbsSide] = {"users": users, "items": items}
        self.mean, self.scale = bias_model.mean, bias_model.scale or 1.0
        self.seed, self.n_threads = seed, n_threads
        self.tables: dict[Side, Table] = {
            "users": _start(users, n_factors, bias_model.user_biases / self.scale, seed, n_threads),
            "items": _start(items, n_factors, bias_model.item_biases / self.scale, seed, n_threads),
        }
        self.noise = 1.0
        # Numbers that belong to no id: a stream of this seed's own.
        self.generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))

    def draw_parameters(self, side: Side, sweep: int) -> Parameters:
        """Draw the prior of a side given its rows, whatever its coefficients, and these given both."""
        this = self.sides[side]
        rows = self.tables[side][this.active]
        prior = draw_prior(rows, self.generator, coefficients=this.sampler, n_threads=self.n_threads)
        if this.sampler is None:
            return Parameters(prior, (), self.noise)
        coefficients = this.sampler.draw(
            rows - prior.mean.astype(np.float32),
            prior.precision,
            side=side,
            seed=self.seed,
            sweep=sweep,
            n_threads=self.n_threads,
        )
        return Parameters(prior, coefficients, self.noise)

    def draw_rows(self, side: Side, under: Parameters, sweep: int) -> None:
        """Draw all rows of a side, the other side fixed."""
        this, that = self.sides[side], other(side)
        self.tables[side] = draw_side(
            side,
            this.rows,
            self.tables[that],
            under.prior,
            noise=under.noise,
            shifts=prior_mean(this.parts, under.coefficients, n_threads=self.n_threads),
            mean=self.mean,
            scale=self.scale,
            row_hashes=this.hashes,
            fixed_hashes=self.sides[that].hashes,
            seed=self.seed,
            sweep=sweep,
            n_threads=self.n_threads,
        )

    def draw_noise(self) -> float:
        """Draw the noise, and return Σ w (t − prediction)² of the draw, in the units of the values."""
        rows = self.sides["users"].rows
        users, items = self.tables["users"], self.tables["items"]
        square = squared_residuals(
            rows, users, items, mean=self.mean, scale=self.scale, n_threads=self.n_threads
        )
        self.noise = draw_noise(square, rows.n_entries, self.generator)
        return square * self.scale**2


def gibbs_side(
    interactions: Interactions,
    side: Side,
    *,
    link: bool,
    features: EntryRows | None,
    n_threads: int,
) -> GibbsSide:
    """Make one side ready to be drawn.

    Raises
    ------
    DataError
        A link or attributes too large: see :func:`alternant.sampling.coefficient_sampler`.
    """
    rows = rows_of(interactions, side)
    hashes, other_hashes = _hashes(interactions, side), _hashes(interactions, other(side))
    active = np.flatnonzero(rows.counts > 0).astype(np.int32)
    parts, used, feature_hashes = [], [], []
    if link:
        parts.append(link_part(rows, None, ridge=PENALTY))
        used.append(link_part(rows.chosen(active), None, ridge=PENALTY))
        feature_hashes.append(other_hashes)
    if features is not None:
        parts.append(attribute_part(features, ridge=PENALTY, fitted=False))
        used.append(attribute_part(features.chosen(active), ridge=PENALTY, fitted=False))
        # Features have no ids: their numbers belong to their places.
        feature_hashes.append(np.arange(features.n_columns, dtype=np.uint64))
    sampler = None
    if parts:
        sampler = coefficient_sampler(used, hashes[active], feature_hashes, n_threads=n_threads)
    return GibbsSide(side, rows, hashes, active, parts, sampler)


def _hashes(interactions: Interactions, side: Side) -> Hashes:
    return interactions.user_ids.hashes if side == "users" else interactions.item_ids.hashes


def sample(
    users: GibbsSide,
    items: GibbsSide,
    bias_model: BiasModel,
    *,
    n_factors: int,
    n_samples: int,
    burn_in: int,
    n_kept: int,
    seed: int,
    callback: Callback | None,
    n_threads: int,
) -> Sampled:
    """Draw `burn_in` + `n_samples` sweeps and keep `n_kept` of the last `n_samples`, evenly spaced.

    Ends early when the callback returns true, or on Ctrl-C, with the draws kept by then.

    Raises
    ------
    DivergedError
        A draw is not finite.
    KeyboardInterrupt
        On Ctrl-C before the first draw was kept.
    """
    chain = _Chain(users, items, bias_model, n_factors=n_factors, seed=seed, n_threads=n_threads)
    n_sweeps = burn_in + n_samples
    kept_at = {burn_in + (number + 1) * n_samples // n_kept for number in range(n_kept)}
    kept: list[dict[Side, _Kept]] = []
    trace: list[TraceEntry] = []
    began = time.perf_counter()
    stopped = ""
    try:
        under = chain.draw_parameters("users", 1)
        while not stopped:
            sweep = len(trace) + 1
            chain.draw_rows("users", under, sweep)
            of_items = chain.draw_parameters("items", sweep)
            chain.draw_rows("items", of_items, sweep)
            square = chain.draw_noise()
            trace.append(TraceEntry(sweep, "items", square, time.perf_counter() - began))
            _log(trace[-1], chain, n_sweeps)
            if sweep == n_sweeps:
                stopped = f"all {n_sweeps} sweeps done"
            if callback is not None and callback(_event(trace, n_sweeps, chain.tables)):
                stopped = "the callback asked to stop"
            # What goes with a draw of the items is what users are drawn under after it.
            under = chain.draw_parameters("users", sweep + 1)
            if sweep in kept_at or (stopped and not kept):
                drawn = chain.tables
                kept.append({"users": _Kept(drawn["users"], under), "items": _Kept(drawn["items"], of_items)})
    except KeyboardInterrupt:
        if not kept:
            raise
        stopped = f"interrupted after {len(trace)} sweeps, with {len(kept)} draws"
        logger.warning("%s: kept what they gave", stopped)
    draws = Draws(
        _side_draws([each["users"] for each in kept], users),
        _side_draws([each["items"] for each in kept], items),
        chain.mean,
        chain.scale,
    )
    return Sampled(draws, tuple(trace), stopped)


def _side_draws(kept: Sequence[_Kept], side: GibbsSide) -> SideDraws:
    coefficients = {
        part.kind: np.stack([each.parameters.coefficients[number] for each in kept])
        for number, part in enumerate(side.parts)
    }
    return SideDraws(
        np.stack([each.table for each in kept]),
        np.stack([each.parameters.prior.mean for each in kept]),
        np.stack([each.parameters.prior.precision for each in kept]),
        np.array([each.parameters.noise for each in kept]),
        coefficients.get("link"),
        coefficients.get("attributes"),
    )


def _log(entry: TraceEntry, chain: _Chain, n_sweeps: int) -> None:
    error, noise = f"{entry.objective:,.6g}", chain.noise * chain.scale
    logger.info(
        "sweep %d of %d: squared error %s, noise %.4g, %.2f s",
        entry.sweep,
        n_sweeps,
        error,
        noise,
        entry.seconds,
    )


def _event(trace: Sequence[TraceEntry], n_sweeps: int, tables: dict[Side, Table]) -> HalfSweep:
    last = trace[-1]
    before = trace[-2].objective if len(trace) > 1 else math.nan
    return HalfSweep(
        sweep=last.sweep,
        side="items",
        objective=last.objective,
        decrease=decrease(before, last.objective),
        seconds=last.seconds,
        n_sweeps=n_sweeps,
        user_table=read_only(tables["users"]),
        item_table=read_only(tables["items"]),
    )


def _start(side: GibbsSide, n_factors: int, biases: Float64, seed: int, n_threads: int) -> Table:
    factors = random.standard_normal(
        side.hashes,
        n_factors,
        seed=seed,
        purpose=random.Purpose.START,
        side=random.Side.USERS if side.side == "users" else random.Side.ITEMS,
        n_threads=n_threads,
    )
    factors *= np.float32(START_SCALE / math.sqrt(n_factors))
    return np.concatenate([factors, biases.astype(np.float32)[:, None]], axis=1)
