"""Start values: of the items, and of what prior means are made of. Users need none: they are solved first."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alternant.attributes import AttributeEncoding
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions
from alternant.kernels import dense
from alternant.kernels.random import Purpose, standard_normal
from alternant.kernels.random import Side as RandomSide
from alternant.model import FactorModel
from alternant.objective import Objective, Side, Table
from alternant.prior import PriorPart, start_coefficients

Initial: TypeAlias = FactorModel | NDArray[Any]

SPECTRAL_OVERSAMPLING = 10
SPECTRAL_POWERS = 4


def item_start(
    interactions: Interactions,
    objective: Objective,
    *,
    init: Literal["random", "spectral"],
    scale: float,
    seed: int,
    initial: Initial | None,
    n_threads: int,
) -> Table:
    """Return the items' table to start from, float32, shape (n_items, width): factors, and biases of 0.

    `initial` replaces what `init` gives: an array in full; a model for the items that it knows, biases too.
    Items without entries are 0.
    """
    k = objective.n_factors
    start = np.zeros((interactions.n_items, objective.width), np.float32)
    if isinstance(initial, np.ndarray):
        start[:, :k] = _checked(initial, (interactions.n_items, k))
    elif initial is not None and not isinstance(initial, FactorModel):
        raise DataError(f"initial must be a FactorModel or an array, got {type(initial).__name__}")
    elif init == "spectral":
        mean = objective.center
        start[:, :k] = spectral_start(interactions, k, mean=mean, seed=seed, n_threads=n_threads)
    else:
        start[:, :k] = random_start(interactions, k, scale=scale, seed=seed, n_threads=n_threads)
    if isinstance(initial, FactorModel):
        _take_over(start, initial, interactions, objective)
    start[interactions.by_item.counts == 0] = 0.0
    if objective.nonnegative:
        np.abs(start[:, :k], out=start[:, :k])
    return start


def _checked(initial: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    if initial.dtype.kind != "f" or initial.shape != shape:
        raise DataError(
            f"initial must be a floating array of shape {shape} (items × factors), "
            f"got {initial.dtype} of shape {initial.shape}"
        )
    with np.errstate(over="ignore"):
        found = initial.astype(np.float32)
    if not np.isfinite(found).all():
        raise DataError(
            "initial must be finite in float32, got NaN or infinity; start from finite item factors"
        )
    return found


def _take_over(start: Table, model: FactorModel, interactions: Interactions, objective: Objective) -> None:
    if model.n_factors != objective.n_factors:
        raise DataError(
            f"initial must have {objective.n_factors} factors as the estimator has, "
            f"got a model with {model.n_factors}; set n_factors={model.n_factors}"
        )
    if model.item_ids.kind != interactions.item_ids.kind:
        raise DataError(
            f"initial must have {interactions.item_ids.kind} item ids as the interactions have, "
            f"got a model with {model.item_ids.kind} ids"
        )
    positions = model.item_ids.encode(interactions.item_ids.labels, what="item", unknown="mark")
    known = positions >= 0
    start[known, : objective.n_factors] = model.item_factors[positions[known]]
    if objective.has_biases and model.item_biases is not None:
        start[known, -1] = model.item_biases[positions[known]]


def coefficient_start(
    parts: Sequence[PriorPart],
    side: Side,
    interactions: Interactions,
    objective: Objective,
    encoding: AttributeEncoding | None,
    initial: Initial | None,
) -> tuple[Table, ...]:
    """Return the coefficients of a side's prior means to start from: float32, shape (n_features, width) each.

    Those of a model as `initial`, where the other side's id (of a link) or the feature's name (of attributes)
    is one of the model's; all others 0, and all of a part that the model does not have.
    """
    found = start_coefficients(parts, objective.width)
    if not isinstance(initial, FactorModel):
        return found
    prior = initial.prior(side)
    # Factors, and behind them the bias where both have one.
    width = objective.n_factors + (objective.has_biases and initial.problem.has_biases)
    for part, table in zip(parts, found, strict=True):
        if part.kind == "link" and prior.link is not None:
            new, old = (
                (interactions.item_ids, initial.item_ids)
                if side == "users"
                else (interactions.user_ids, initial.user_ids)
            )
            positions = _positions(new, old)
            known = positions >= 0
            table[known, :width] = prior.link[positions[known], :width]
        elif part.kind == "attributes" and prior.attributes is not None:
            places, scale = _matching_features(encoding, prior.encoding)
            known = places >= 0
            table[known, :width] = prior.attributes[places[known], :width] * scale[known, None]
    return found


def _positions(new: IdMap, old: IdMap) -> NDArray[np.int32]:
    """Return where the ids of `new` are in `old`: int32, shape (n,); -1 for unknown ones."""
    if new.kind != old.kind:
        return np.full(len(new), -1, np.int32)
    return old.encode(new.labels, unknown="mark")


def _matching_features(
    new: AttributeEncoding | None, old: AttributeEncoding | None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the feature of `old` of the same name for each of `new`, -1 without, and what its coefficient is
    to be multiplied by: a number may be standardised by another deviation now."""
    if new is None or old is None:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    at = {name: place for place, name in enumerate(old.feature_names)}
    deviations = {column.name: column.scale for column in old.columns if column.kind == "numeric"}
    places, scale = [], []
    for column in new.columns:
        before = deviations.get(column.name) if column.kind == "numeric" else None
        for name in column.feature_names:
            places.append(at.get(name, -1))
            scale.append(1.0 if before is None else column.scale / before)
    return np.array(places, np.int64), np.array(scale, np.float32)


def random_start(
    interactions: Interactions, n_factors: int, *, scale: float, seed: int, n_threads: int
) -> Table:
    """Return N(0, (scale / √k)²) numbers, float32, shape (n_items, n_factors).

    Each item's depend on the seed and its id only: they stay when other items or users are added. Items
    without entries start (and stay) at 0.
    """
    start = standard_normal(
        interactions.item_ids.hashes,
        n_factors,
        seed=seed,
        purpose=Purpose.START,
        side=RandomSide.ITEMS,
        n_threads=n_threads,
    )
    with np.errstate(over="ignore"):
        start *= np.float32(scale / np.sqrt(n_factors))
    if not np.isfinite(start).all():
        raise DataError("init_scale is so large that start values do not fit float32; lower it")
    return start


def spectral_start(
    interactions: Interactions, n_factors: int, *, mean: float, seed: int, n_threads: int
) -> Table:
    """Return V√S of the truncated singular value decomposition of the values minus `mean`, unknown cells
    taken as 0.

    By randomised subspace iteration (Halko, Martinsson and Tropp 2011, doi:10.1137/090771806) with 4 powers
    and 10 extra directions. float32, shape (n_items, n_factors); directions that the data do not have are 0.
    """
    by_user, by_item = interactions.by_user, interactions.by_item
    width = min(n_factors + SPECTRAL_OVERSAMPLING, interactions.n_items, interactions.n_users)
    basis = standard_normal(
        interactions.item_ids.hashes,
        width,
        seed=seed,
        purpose=Purpose.SPECTRAL,
        side=RandomSide.ITEMS,
        n_threads=n_threads,
    )

    def product(rows: EntryRows, table: Table) -> Table:
        blocks = rows.blocks()
        parts = [dense.multiply_sparse(block, table, shift=mean, n_threads=n_threads) for block in blocks]
        return np.concatenate(parts)

    for _ in range(SPECTRAL_POWERS):
        basis = _orthonormal(product(by_item, _orthonormal(product(by_user, basis), n_threads)), n_threads)
    image = product(by_user, basis)  # R·V, whose Gramian holds the squares of the singular values
    squares, vectors = dense.symmetric_eigen(dense.gramian(image, n_threads=n_threads))
    n_kept = min(n_factors, width)
    singular = np.sqrt(np.maximum(squares[:n_kept], 0.0))
    start = np.zeros((interactions.n_items, n_factors), np.float32)
    turn = vectors[:n_kept].T * np.sqrt(singular)
    found = dense.multiply(basis, turn.astype(np.float32), n_threads=n_threads)
    # Singular vectors have no sign of their own: the component of largest magnitude is made positive.
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=0)[None, :], axis=0)
    start[:, :n_kept] = np.where(largest < 0.0, -found, found)
    return start


def _orthonormal(table: Table, n_threads: int) -> Table:
    """Return a table of orthonormal columns that span those of `table`; directions lost in rounding become
    0."""
    for _ in range(2):  # the second time undoes the rounding of the first
        values, vectors = dense.symmetric_eigen(dense.gramian(table, n_threads=n_threads))
        keep = values > 1e-12 * max(values[0], np.finfo(np.float64).tiny)
        factors = np.where(keep, 1.0 / np.sqrt(np.where(keep, values, 1.0)), 0.0)
        table = dense.multiply(table, (vectors.T * factors).astype(np.float32), n_threads=n_threads)
    return table
