"""Fixtures shared by all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alternant import Interactions, kernels
from tables import EXAMPLE, ratings_of


@pytest.fixture(params=kernels.isa_levels())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test once on every instruction-set level that this machine has."""
    before = kernels.isa()
    kernels.set_isa(request.param)
    yield request.param
    kernels.set_isa(before)


@pytest.fixture
def example() -> Interactions:
    """The 4 × 4 table that the documentation opens with, with integer ids."""
    return ratings_of(EXAMPLE)


@pytest.fixture
def shared_data() -> Path:
    """The folder of real ratings: ALTERNANT_DATA, or ../shared/data beside the project."""
    named = os.environ.get("ALTERNANT_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real ratings at {folder}; set ALTERNANT_DATA")
    return folder
