"""What stored entries weigh beside pairs that are not stored, whatever the objective."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alternant.interactions import Interactions, RowBlock
from alternant.objective._implicit import ImplicitObjective
from alternant.objective._problem import ENTRIES_AT_ONCE, Float64, Objective, targets_and_weights


@dataclass(frozen=True, eq=False)
class WeighedBlock:
    """Entries of a block of users' rows with what they weigh; arrays are float64, shape (n_entries,).

    Attributes
    ----------
    block : RowBlock
    targets : t
    confidence : c, the weight of (t − p)²
    unobserved : α₀ s v, what the pair would weigh if it were not stored; 0 where such pairs are unknown
    is_in_both : whether the part of the unobserved counts this pair too
    """

    block: RowBlock
    targets: Float64
    confidence: Float64
    unobserved: Float64
    is_in_both: bool

    @property
    def total(self) -> Float64:
        """All that the pair weighs."""
        return self.confidence + self.unobserved if self.is_in_both else self.confidence


def weighed_blocks(
    objective: Objective, prepared: Interactions, max_entries: int = ENTRIES_AT_ONCE
) -> Iterator[WeighedBlock]:
    """Yield all prepared entries, by user."""
    form = objective.form if isinstance(objective, ImplicitObjective) else None
    item_scale = objective.unobserved_scale("items", prepared.by_item.counts)
    for block in prepared.by_user.blocks(max_entries):
        counts = np.diff(block.offsets)
        user_scale = objective.unobserved_scale("users", counts)
        unobserved = np.full(len(block.indices), objective.unobserved_factor)
        if user_scale is not None:
            unobserved *= np.repeat(user_scale, counts)
        if item_scale is not None:
            unobserved *= item_scale[block.indices]
        targets, weights = targets_and_weights(block)
        confidence = weights + unobserved if form == "hkv" else weights
        yield WeighedBlock(block, targets, confidence, unobserved, form == "ials")


def weak_positives(objective: Objective, prepared: Interactions) -> int:
    """Return how many entries with a target above 0 weigh less than they would if they were not stored.

    Only "missing-as-zero" can have such: there the weight of an entry replaces that of an unknown pair, while
    it is added to it in the other forms.
    """
    found = 0
    for each in weighed_blocks(objective, prepared):
        # In float32, as weights are stored: equal numbers stay equal.
        is_weak = each.total.astype(np.float32) < each.unobserved.astype(np.float32)
        found += int(np.count_nonzero(is_weak & (each.targets > 0.0)))
    return found


def positives(prepared: Interactions) -> int:
    """Return how many entries have a target above 0."""
    values = prepared.by_user.values
    return prepared.n_entries if values is None else int(np.count_nonzero(values > 0.0))


def weak_positives_warning(objective: Objective, prepared: Interactions) -> str | None:
    """Return what to say of entries that :func:`weak_positives` counts; None where there are none."""
    n_weak = weak_positives(objective, prepared)
    if n_weak == 0:
        return None
    return (
        f"{n_weak:,} of {positives(prepared):,} positives weigh less than an unknown pair "
        f"(unobserved weight {objective.unobserved_factor:g}): raise alpha, lower unobserved_weight, "
        'or use form="ials" or "hkv", which add the two'
    )
