"""Measure models on the test part of a split, beside baselines, with intervals: :func:`evaluate`."""

from alternant.evaluation._asked import higher_is_better
from alternant.evaluation._evaluate import evaluate, measure
from alternant.evaluation._given import report_of
from alternant.evaluation._report import Difference, Report, Row, Slice

__all__ = ["Difference", "Report", "Row", "Slice", "evaluate", "higher_is_better", "measure", "report_of"]
