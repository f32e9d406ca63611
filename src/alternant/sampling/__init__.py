"""Gibbs sampling of models of ratings with the solver of rows: draws of rows, priors, coefficients and noise.

It knows neither models nor estimators.
"""

from alternant.sampling._coefficients import PENALTY, CoefficientSampler, coefficient_sampler
from alternant.sampling._hyper import draw_noise, draw_prior
from alternant.sampling._residuals import squared_residuals
from alternant.sampling._rows import Hashes, NormalPrior, draw_side

__all__ = [
    "PENALTY",
    "CoefficientSampler",
    "Hashes",
    "NormalPrior",
    "coefficient_sampler",
    "draw_noise",
    "draw_prior",
    "draw_side",
    "squared_residuals",
]
