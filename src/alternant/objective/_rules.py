"""The rules behind "auto": ridges and the unobserved weight, from the data."""

import numpy as np

from alternant.days import UserDays
from alternant.interactions import Interactions
from alternant.objective._biases import BiasModel
from alternant.objective._ridge import Ridge

# The scale-free rule: factor ridge s·(0.65·asp·√n + 3), bias ridge 3.
RULE_SLOPE = 0.65
RULE_CONSTANT = 3.0
# The rule of implicit data: α₀ = 14 · density, λ = 0.18 / √gm.
RULE_UNOBSERVED = 14.0
RULE_IMPLICIT = 0.18
# The ridge of biases of days is kept between these.
LEAST_DAY_RIDGE = 1.0
MOST_DAY_RIDGE = 1000.0


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


def day_ridge_rule(interactions: Interactions, bias_model: BiasModel) -> float:
    """Return the default ridge of biases of users' days: σ² / σ_day², from 1 to 1,000.

    Both variances are those of the one-way analysis of variance of what the bias model leaves, between the
    days of each user: with the entries' weights w, W_g and W_u their sums over a day and over a user, and
    r̄_g and r̄_u the means,

        σ² = Σ w (r − r̄_g)² / (entries − days),     σ² + n₀ σ_day² = Σ W_g (r̄_g − r̄_u)² / (days − users),
        n₀ = (Σ_g W_g − Σ_u Σ_g∈u W_g² / W_u) / (days − users).

    Where days differ no more than chance has them differ, or there is nothing to tell it by, it is 1,000.
    """
    entries = interactions.entries()
    days = UserDays.of(interactions.by_user)
    n_users, n_days = interactions.n_users, len(days.days)
    owner = np.repeat(np.arange(n_users), np.diff(days.offsets))
    between = n_days - int(np.count_nonzero(interactions.by_user.counts))
    within = interactions.n_entries - n_days
    if between == 0 or within == 0 or entries.values is None:
        return MOST_DAY_RIDGE
    left = entries.values - bias_model.predict(entries.user_index, entries.item_index)
    w = np.ones(len(left)) if entries.weights is None else entries.weights.astype(np.float64)
    weight, total = (np.bincount(days.of_entry, each, n_days) for each in (w, w * left))
    user_weight, user_total = (np.bincount(owner, each, n_users) for each in (weight, total))
    filled = user_weight > 0.0
    by_day = float(np.sum(total**2 / weight))
    by_user = float(np.sum(user_total[filled] ** 2 / user_weight[filled]))
    noise = (float(np.sum(w * left**2)) - by_day) / within
    squares = float(np.sum(np.bincount(owner, weight**2, n_users)[filled] / user_weight[filled]))
    size = (float(weight.sum()) - squares) / between
    variance = ((by_day - by_user) / between - noise) / size
    if not noise < MOST_DAY_RIDGE * variance:
        return MOST_DAY_RIDGE
    return max(noise / variance, LEAST_DAY_RIDGE)
