"""Split interactions into training and test parts, in the ways in which models are compared.

What goes where is drawn by a counter-based rule from the seed and the ids, so that it is the same on every
machine and for any order of rows. The parts of a `Split` are always exactly the data. Knows no models.
"""

from alternant.splitting._entries import random_split
from alternant.splitting._folds import k_fold
from alternant.splitting._items import item_cold_split
from alternant.splitting._last import leave_last_out
from alternant.splitting._predefined import predefined_split
from alternant.splitting._split import Split
from alternant.splitting._strong import strong_split
from alternant.splitting._time import time_split

__all__ = [
    "Split",
    "item_cold_split",
    "k_fold",
    "leave_last_out",
    "predefined_split",
    "random_split",
    "strong_split",
    "time_split",
]
