"""The rules behind "auto": ridges and the unobserved weight, from the data."""

import numpy as np

from alternant.interactions import Interactions
from alternant.objective._ridge import Ridge

# The scale-free rule: factor ridge s·(0.65·asp·√n + 3), bias ridge 3.
RULE_SLOPE = 0.65
RULE_CONSTANT = 3.0
# The rule of implicit data: α₀ = 14 · density, λ = 0.18 / √gm.
RULE_UNOBSERVED = 14.0
RULE_IMPLICIT = 0.18


def scale_free_ridge(interactions: Interactions, scale: float, *, bias: float | None = None) -> Ridge:
    """Return the default ridge: s·(0.65·asp·√n + 3) on factors, 3 (or `bias`) on the bias.

    asp = aspect^¼ + aspect^−¼ with aspect = n_items / n_users, counting ids with entries. Alternating ridge
    regression is a nuclear-norm penalty, whose right threshold is the spectral norm of the noise matrix; with
    √n weights on both sides that is s·asp. The constant keeps short rows and biases shrunk.
    """
    n_users, n_items = n_active(interactions)
    aspect = (n_items / n_users) ** 0.25
    scale = scale if scale > 0.0 else 1.0  # all values equal: any ridge gives factors of 0
    return Ridge(
        slope=RULE_SLOPE * (aspect + 1.0 / aspect) * scale,
        exponent=0.5,
        constant=RULE_CONSTANT * scale,
        bias_constant=RULE_CONSTANT if bias is None else bias,
    )


def n_active(interactions: Interactions) -> tuple[int, int]:
    """Return the numbers of users and of items that have entries."""
    return (
        int(np.count_nonzero(interactions.by_user.counts)),
        int(np.count_nonzero(interactions.by_item.counts)),
    )


def unobserved_weight_rule(interactions: Interactions) -> float:
    """Return the default unobserved weight of implicit data: α₀ = 14 · entries / (users · items).

    Then the unobserved pairs weigh 14 times what the stored ones do, whatever the density.
    """
    n_users, n_items = n_active(interactions)
    return RULE_UNOBSERVED * interactions.n_entries / (n_users * n_items)


def implicit_ridge_rule(interactions: Interactions, unobserved_weight: float) -> float:
    """Return the default λ of implicit data, for the ridge λ·(n_row + α₀·n_other): 0.18 / √gm.

    gm = √(mean size of users · mean size of items), size = n_row + α₀·n_other.
    """
    n_users, n_items = n_active(interactions)
    user_size = interactions.n_entries / n_users + unobserved_weight * n_items
    item_size = interactions.n_entries / n_items + unobserved_weight * n_users
    return float(RULE_IMPLICIT / (user_size * item_size) ** 0.25)
