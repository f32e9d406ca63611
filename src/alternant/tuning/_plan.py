"""What to try next: few factors first, then twice as many while that helps, then anything around the best.

1. The settings as they are, and the rules for the data at few factors.
2. For half of the budget: whatever the sampler proposes, at few factors, which are quick to fit.
3. The best of it with twice the factors, and λ refined there; again, as long as the value gets better.
4. Whatever the sampler proposes, at the best number of factors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alternant.tuning._space import FEW_FACTORS, Range, Space

Settings = Mapping[str, Any]

_FIRST_SHARE = 0.5
_REFINEMENTS = (1.0, 1.4, 0.7)


@dataclass(frozen=True)
class Done:
    """A finished trial: settings in the space (empty: the estimator's own), and its value, more is better."""

    settings: Settings
    value: float


@dataclass(frozen=True)
class Next:
    """What to try: `settings` in full, or (None) the sampler's proposal with `fixed` settings."""

    settings: Settings | None = None
    fixed: Settings | None = None


def few_factors(space: Space) -> int | None:
    """Return the number of factors of the first trials; None where they are not searched by number."""
    where = space.get("n_factors")
    return min(max(FEW_FACTORS, int(where.low)), int(where.high)) if isinstance(where, Range) else None


def plan(space: Space, done: Sequence[Done], share: float, tried: Sequence[Settings]) -> Next:
    """Return what to try after `done`, with a `share` of the budget used up.

    Parameters
    ----------
    done : trials that were not pruned
    tried : settings of all trials, running ones too
    """
    few = few_factors(space)
    if few is None:
        return Next()
    searched = [each for each in done if each.settings]
    if share < _FIRST_SHARE or not searched:
        return Next(fixed={"n_factors": few})
    best = max(searched, key=lambda each: each.value)
    next_settings = _doubled(space, searched, best, few, tried)
    return Next(next_settings) if next_settings else Next(fixed={"n_factors": best.settings["n_factors"]})


def _doubled(
    space: Space, done: Sequence[Done], best: Done, few: int, tried: Sequence[Settings]
) -> Settings | None:
    """Return the best settings with refined λ and so many factors as are to be tried now; None: all were."""
    where = space["n_factors"]
    most = int(where.high) if isinstance(where, Range) else few
    k = few
    while k < most:
        under = [each for each in done if each.settings["n_factors"] <= k]
        so_far = max(under, key=lambda each: each.value) if under else best
        k = min(2 * k, most)
        for step in _REFINEMENTS:
            settings = {**so_far.settings, "n_factors": k, **_refined(space, so_far.settings, step)}
            if settings not in tried:
                return settings
        at_k = [each.value for each in done if each.settings["n_factors"] == k]
        if not at_k or max(at_k) <= so_far.value:
            return None
    return None


def _refined(space: Space, settings: Settings, step: float) -> dict[str, float]:
    ridge, where = settings.get("regularization"), space.get("regularization")
    if not isinstance(ridge, float) or not isinstance(where, Range):
        return {}
    return {"regularization": min(max(float(f"{ridge * step:.4g}"), where.low), where.high)}
