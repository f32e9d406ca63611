"""The estimators: settings in, a fitted model out. They hold no state: `fit` always starts afresh."""

from alternant.als._explicit import ExplicitALS
from alternant.als._implicit import ImplicitALS
from alternant.als._validation import Metric, Validator, check_metric, validator

__all__ = ["ExplicitALS", "ImplicitALS", "Metric", "Validator", "check_metric", "validator"]
