"""Interactions: who had to do with what, with which value, weight and time; as rows by user and by item.

Everything is validated here, once; ids are translated into positions here. This layer must not know
objectives or models: values, weights and times are kept raw.
"""

from alternant.interactions._interactions import Entries, Interactions, check_interactions
from alternant.interactions._numbers import unix_seconds
from alternant.interactions._report import BuildReport, Summary
from alternant.interactions._rows import EntryRows, RowBlock

__all__ = [
    "BuildReport",
    "Entries",
    "EntryRows",
    "Interactions",
    "RowBlock",
    "Summary",
    "check_interactions",
    "unix_seconds",
]
