"""What any model should beat: the mean, biases, popularity, chance, and neighbours of items.

Each is a frozen dataclass of settings whose ``fit`` returns what :func:`alternant.evaluation.evaluate` asks.
They work on the positions of the data that they were fitted to.
"""

from alternant.evaluation.baselines._fitted import Baseline, Lists, Queries
from alternant.evaluation.baselines._item_knn import ItemKNN
from alternant.evaluation.baselines._order import Popularity, Random
from alternant.evaluation.baselines._ratings import Biases, Mean

__all__ = ["Baseline", "Biases", "ItemKNN", "Lists", "Mean", "Popularity", "Queries", "Random"]
