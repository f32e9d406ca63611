"""Biases of users' days: what all that a user rated on one day has in common.

A day is 86,400 seconds of Unix time, so it begins at midnight UTC. This layer must not know models.
"""

from alternant.days._biases import SECONDS_OF_A_DAY, DayBiases, day_of, days_of
from alternant.days._spread import ENTRIES_AT_ONCE, Spread, UserDays, taken_off

__all__ = [
    "ENTRIES_AT_ONCE",
    "SECONDS_OF_A_DAY",
    "DayBiases",
    "Spread",
    "UserDays",
    "day_of",
    "days_of",
    "taken_off",
]
