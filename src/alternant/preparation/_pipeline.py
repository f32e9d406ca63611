"""From raw entries to prepared ones: check, transform, give meaning, discount, scale, remove.

All entries stay in place until the end; one that is to go has weight 0 meanwhile.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.interactions import EntryRows, Interactions
from alternant.preparation._constants import Float64, Side, Source
from alternant.preparation._meaning import (
    Float32,
    adds_confidence,
    check_values,
    entry_words,
    targets,
    weight_factors,
)
from alternant.preparation._transforms import HalfLife, Stage, ValueTransform

if TYPE_CHECKING:
    from alternant.preparation._preparation import Preparation

SCALE = "scale"
KEPT_COUNTS = "kept_counts"  # of the entries whose weight before the discount is not 0


def prepare(interactions: Interactions, preparation: "Preparation", source: Source) -> Interactions:
    """Return prepared entries, with the numbers from `source`; the same object where nothing changes."""
    steps = preparation.steps
    value_steps = [(f"step{i}", step) for i, step in enumerate(steps) if not isinstance(step, HalfLife)]
    time_steps = [(f"step{i}", step) for i, step in enumerate(steps) if isinstance(step, HalfLife)]
    rows = interactions.by_user
    check_values(interactions, preparation.value, tuple(step for _, step in value_steps))
    # Overflow and what follows from it is refused by _check_finite, with the ids.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        magnitudes = _transformed(rows, preparation, value_steps, source)
        t = targets(rows, preparation.value, magnitudes)
        factors = weight_factors(rows, preparation.value, magnitudes)
        factors += [_decay(rows, name, step, source) for name, step in time_steps]
        e = _discounted(factors, rows, preparation, source)
    for name, column in (("target", t), ("weight", e)):
        _check_finite(interactions, name, column)
    return _assembled(interactions, t, e)


def _transformed(
    rows: EntryRows,
    preparation: "Preparation",
    steps: list[tuple[str, ValueTransform]],
    source: Source,
) -> Float64 | None:
    if not steps:
        return None
    present: NDArray[np.bool_] | None = None
    if rows.values is None:
        v = np.ones(rows.n_entries)
    else:
        v = np.abs(rows.values.astype(np.float64))
        if adds_confidence(preparation.value) and not rows.values.all():
            present = rows.values != 0
    for name, step in steps:
        step.change(v, Stage(source, present, name))
    return v


def _decay(rows: EntryRows, name: str, step: HalfLife, source: Source) -> Float64:
    times = rows.times
    if times is None:
        raise DataError(
            "half_life needs times, and these interactions have none; name the time column with time="
        )

    def reference() -> float:
        if step.reference is not None:
            return step.reference
        if not len(times):
            raise DataError(
                "half_life takes the latest time as its reference, and there are no entries; "
                "give it one, as in half_life(days=30, reference=2024-06-30)"
            )
        return float(times.max())

    return step.factors(times, source.number(f"{name}_reference", reference))


def _discounted(
    factors: list[Float32 | Float64], rows: EntryRows, preparation: "Preparation", source: Source
) -> Float32 | None:
    """Return scale · d · Π factors, where d_ui = n_i^−γ_item · n_u^−γ_user over its mean; None: all 1."""
    discounted = preparation.item_discount != 0 or preparation.user_discount != 0
    plain = factors[0].astype(np.float32, copy=False) if factors else None
    if not discounted and len(factors) < 2:
        scale = _scale(plain, preparation, source)
        if scale == 1:
            return plain
    e = np.ones(rows.n_entries) if not factors else factors[0].astype(np.float64)
    for factor in factors[1:]:
        e *= factor
    if discounted:
        e *= _discounts(e, preparation, source)
    e *= _scale(e, preparation, source)
    return e.astype(np.float32)


def _scale(e: Float32 | Float64 | None, preparation: "Preparation", source: Source) -> float:
    """Return what weights are multiplied by."""
    if preparation.scale != "auto":
        return preparation.scale

    def over_mean() -> float:
        heavy = 0 if e is None else int(np.count_nonzero(e))
        return 1.0 if e is None or heavy == 0 else heavy / float(e.sum(dtype=np.float64))

    return source.number(SCALE, over_mean)


def _discounts(e: Float64, preparation: "Preparation", source: Source) -> Float64:
    heavy = e.astype(np.float32) != 0
    kept = None if heavy.all() else heavy
    d = np.ones(len(e))
    if preparation.item_discount:
        d *= _powers("items", -preparation.item_discount, kept, source)
    if preparation.user_discount:
        d *= _powers("users", -preparation.user_discount, kept, source)

    def mean() -> float:
        stored = d if kept is None else d[kept]
        return float(stored.mean()) if len(stored) else 1.0

    d /= source.number("mean_discount", mean)
    return d


def _powers(side: Side, exponent: float, kept: NDArray[np.bool_] | None, source: Source) -> Float64:
    """Return n^exponent of each entry: float64, shape (n,)."""
    counts = source.array(side, KEPT_COUNTS, lambda: source.count(side, kept), counts=KEPT_COUNTS)
    # Ids without kept entries only have entries that go: any finite number does.
    index = source.index(side)
    # The power of whatever is fewer, ids or entries; it is the same bits.
    if len(index) < len(counts):
        return np.power(np.maximum(counts[index], 1), exponent)
    return np.power(np.maximum(counts, 1), exponent)[index]


def _check_finite(interactions: Interactions, name: str, column: Float32 | None) -> None:
    if column is None:
        return
    problem = ~np.isfinite(column)
    if problem.any():
        at = int(problem.argmax())
        rows = interactions.by_user
        value = 1.0 if rows.values is None else rows.values[at]
        weight = 1.0 if rows.weights is None else rows.weights[at]
        raise DataError(
            f"the {name} made of value {value!s} and weight {weight!s} must be finite, got "
            f"{column[at]!s} for {entry_words(interactions, at)}; scale values and weights down, "
            "or change transforms, discounts or scale"
        )


def _assembled(interactions: Interactions, t: Float32 | None, e: Float32 | None) -> Interactions:
    """Return the entries with targets and weights, without those of weight 0."""
    raw = interactions.by_user
    by_user = EntryRows(raw.offsets, raw.indices, raw.n_columns, t, e, raw.times)
    if e is not None and not e.all():
        # `take` reads by_user alone, and makes the other orientation of it.
        some = replace(interactions, by_user=by_user).take(e != 0)
        n_gone = interactions.n_entries - some.n_entries
        return replace(some, report=replace(some.report, n_zero_weight=some.report.n_zero_weight + n_gone))
    if t is raw.values and e is raw.weights:
        return interactions
    return replace(interactions, by_user=by_user, by_item=_by_item(interactions, t, e))


def _by_item(interactions: Interactions, t: Float32 | None, e: Float32 | None) -> EntryRows:
    """Return the other orientation; raw columns that serve as they are, and the positions, are shared."""
    raw, there = interactions.by_user, interactions.by_item
    raw_columns = [(raw.values, there.values), (raw.weights, there.weights)]

    def shared(column: Float32 | None) -> tuple[bool, Float32 | None]:
        for mine, theirs in [(None, None), *raw_columns]:
            if column is mine:
                return True, theirs
        return False, None

    (t_is_raw, t_there), (e_is_raw, e_there) = shared(t), shared(e)
    if not (t_is_raw and e_is_raw):
        new = EntryRows(
            raw.offsets, raw.indices, raw.n_columns, None if t_is_raw else t, None if e_is_raw else e
        ).transposed()
        t_there = t_there if t_is_raw else new.values
        e_there = e_there if e_is_raw else new.weights
    return EntryRows(there.offsets, there.indices, there.n_columns, t_there, e_there, there.times)
