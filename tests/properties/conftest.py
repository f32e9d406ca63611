"""Hypothesis without deadlines: a shared machine is slow at times, and a first call imports."""

from hypothesis import settings

settings.register_profile("alternant", deadline=None, print_blob=True)
settings.load_profile("alternant")
