"""Data made up on purpose: the small table of the introduction, and a catalogue of films with planted tastes.

Everything is drawn from a passed seed. Nothing here knows models: what the catalogue plants (tastes, quality,
noise) is returned beside the interactions, so that a model can be judged against what was really there.
"""

from alternant.synthetic._catalogue import GENRES, Catalogue, catalogue
from alternant.synthetic._example import example

__all__ = ["GENRES", "Catalogue", "catalogue", "example"]
