"""From start values to factors: where they come from, the loop, and how every fit ends. Knows neither files
nor frames."""

from alternant.training._backend import Backend, HalfSolved, LocalBackend
from alternant.training._best import Validation
from alternant.training._finish import Finished, finish
from alternant.training._gibbs import GibbsSide, Sampled, gibbs_side, sample
from alternant.training._loop import Callback, HalfSweep, Trained, alternate
from alternant.training._start import Initial, coefficient_start, item_start
from alternant.training._state import SideState, State

__all__ = [
    "Backend",
    "Callback",
    "Finished",
    "GibbsSide",
    "HalfSolved",
    "HalfSweep",
    "Initial",
    "LocalBackend",
    "Sampled",
    "SideState",
    "State",
    "Trained",
    "Validation",
    "alternate",
    "coefficient_start",
    "finish",
    "gibbs_side",
    "item_start",
    "sample",
]
