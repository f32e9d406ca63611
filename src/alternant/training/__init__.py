"""From start values to factors: where they come from, the loop, and how every fit ends. Knows neither files
nor frames."""

from alternant.training._backend import Backend, HalfSolved, LocalBackend
from alternant.training._finish import Finished, finish
from alternant.training._loop import Callback, HalfSweep, Trained, alternate
from alternant.training._sampling import draw_noise, draw_prior, draw_side, scores, squared_residuals
from alternant.training._start import Initial, coefficient_start, item_start
from alternant.training._state import SideState, State

__all__ = [
    "Backend",
    "Callback",
    "Finished",
    "HalfSolved",
    "HalfSweep",
    "Initial",
    "LocalBackend",
    "SideState",
    "State",
    "Trained",
    "alternate",
    "coefficient_start",
    "draw_noise",
    "draw_prior",
    "draw_side",
    "finish",
    "item_start",
    "scores",
    "squared_residuals",
]
