"""Objectives of tests, by position."""

from alternant.objective import ExplicitObjective, Ridge


def explicit(
    n_factors: int, biases: bool, mean: float, user_ridge: Ridge, item_ridge: Ridge
) -> ExplicitObjective:
    """Return an explicit objective without link, attributes or constraints."""
    return ExplicitObjective(
        n_factors=n_factors, biases=biases, mean=mean, user_ridge=user_ridge, item_ridge=item_ridge
    )
