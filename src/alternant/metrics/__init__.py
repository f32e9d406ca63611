"""Measures of predictions and of ranked lists: per user first, then aggregated. Knows arrays only.

Textbook definitions stand under textbook names; each variant has a name of its own (see `ranking_metrics`).
"""

from alternant.metrics._catalogue import catalogue_metrics
from alternant.metrics._comparison import Comparison, compare
from alternant.metrics._names import CATALOGUE_METRICS, RANKING_METRICS, RATING_METRICS
from alternant.metrics._ranking import ranking_metrics
from alternant.metrics._ratings import mae, r_squared, rmse
from alternant.metrics._sampled import sampled_metrics
from alternant.metrics._slices import quantile_groups, recall_of_groups
from alternant.metrics._spread import Interval, bootstrap_interval, worst_share

__all__ = [
    "CATALOGUE_METRICS",
    "RANKING_METRICS",
    "RATING_METRICS",
    "Comparison",
    "Interval",
    "bootstrap_interval",
    "catalogue_metrics",
    "compare",
    "mae",
    "quantile_groups",
    "r_squared",
    "ranking_metrics",
    "recall_of_groups",
    "rmse",
    "sampled_metrics",
    "worst_share",
]
