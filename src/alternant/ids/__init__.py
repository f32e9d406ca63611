"""Ids: the caller's labels (integers or strings) and their positions 0..n-1.

This layer must not know users from items, nor models: callers pass the words for its messages.
"""

from alternant.ids._map import IdMap
from alternant.ids._numbering import number_columns

__all__ = ["IdMap", "number_columns"]
