"""Preparation: raw entries become targets and weights, the same way in a fit and in every later fold-in.

It must not know objectives or models: what a target and a weight do there is theirs.
"""

from alternant.preparation._constants import Own
from alternant.preparation._inverse import undone, user_means, value_steps
from alternant.preparation._preparation import FittedPreparation, Preparation, Prepared

__all__ = [
    "FittedPreparation",
    "Own",
    "Preparation",
    "Prepared",
    "undone",
    "user_means",
    "value_steps",
]
