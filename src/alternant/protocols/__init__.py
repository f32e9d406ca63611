"""Published protocols by name, on the files that they are published with: one call each.

- :func:`lightgcn`: train and test text files, a user and the user's items on each line
- :func:`liang`: strong generalisation with fold-in
- :func:`he`: leave one out, among sampled negatives from a file
"""

from alternant.protocols._he import he
from alternant.protocols._liang import liang
from alternant.protocols._lightgcn import lightgcn

__all__ = ["he", "liang", "lightgcn"]
