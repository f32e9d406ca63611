"""Which positives weigh less than a pair that is not stored."""

import numpy as np

from alternant.interactions import Interactions
from alternant.objective._implicit import ImplicitObjective
from alternant.objective._problem import Objective


def weak_positives(objective: Objective, prepared: Interactions) -> int:
    """Return how many entries with a target above 0 weigh less than they would if they were not stored.

    Only "missing-as-zero" can have such: there the weight of an entry replaces that of an unknown pair, while
    it is added to it in the other forms.
    """
    if not (isinstance(objective, ImplicitObjective) and objective.form == "missing-as-zero"):
        return 0
    found = 0
    for each in objective.weighed_blocks(prepared):
        # In float32, as weights are stored: equal numbers stay equal.
        is_weak = each.confidence.astype(np.float32) < each.unobserved.astype(np.float32)
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
