"""alternant: Alternating Least Squares recommenders."""

__version__ = "0.1.0"
