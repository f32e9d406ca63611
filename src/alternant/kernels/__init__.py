"""The door to the compiled kernels: the only package that imports ``alternant._kernels``.

Each module here wraps one family of kernels: it checks and converts arguments, and explains what is wrong;
the compiled side checks again and refuses. Nothing here knows models or ids' meaning.
"""

from alternant.kernels._isa import isa, isa_levels, set_isa
from alternant.kernels._threads import MOST_THREADS, ThreadCount, available_threads, resolve_threads

__all__ = [
    "MOST_THREADS",
    "ThreadCount",
    "available_threads",
    "isa",
    "isa_levels",
    "resolve_threads",
    "set_isa",
]
