"""The fitted model: a frozen snapshot of factors, ids and the objective they minimise, and what it answers.

Ids are translated here on the way out, as interactions translate them on the way in. This layer must not know
how a model was fitted, nor any command line or server.
"""

from alternant.model.completion import Completion
from alternant.model.describing import Description
from alternant.model.explaining import Explanation
from alternant.model.factor_model import FactorModel
from alternant.model.folding import FoldedIn, FoldedItems
from alternant.model.gradient import GradientNorms
from alternant.model.neighbours import Neighbours
from alternant.model.recommendations import Recommendations
from alternant.model.saving import load
from alternant.model.snapshot import Snapshot, TraceEntry

__all__ = [
    "Completion",
    "Description",
    "Explanation",
    "FactorModel",
    "FoldedIn",
    "FoldedItems",
    "GradientNorms",
    "Neighbours",
    "Recommendations",
    "Snapshot",
    "TraceEntry",
    "load",
]
