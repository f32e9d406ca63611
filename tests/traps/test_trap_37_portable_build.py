"""Trap 37: binaries built for the machine that built them, or with rules of arithmetic switched off."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from alternant.kernels import isa_levels

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = re.compile(
    r"-m(arch|cpu|tune)=native|-ffast-math|-Ofast|-funsafe-math|-fassociative-math|-fopenmp",
    re.IGNORECASE,
)
FIT = """
from alternant import ExplicitALS, kernels
from alternant.synthetic import example
settings = dict(n_factors=2, regularization=0.1, regularization_exponent=0, biases=False, center=False)
model = ExplicitALS(**settings, init="spectral", tol=0, n_sweeps=500).fit(example())
print(kernels.isa(), f"{model.trace[-1].objective:.3f}")
"""


@pytest.mark.parametrize("file", ["CMakeLists.txt", "pyproject.toml"])
def test_trap_37_no_flag_ties_the_build_to_a_machine(file):
    assert FORBIDDEN.findall((ROOT / file).read_text(encoding="utf-8")) == []


def test_trap_37_higher_levels_are_switched_on_for_their_own_copy_only():
    """Every -m flag stands in an add_level call, none among the options of the whole module."""
    lines = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8").replace("\n            ", " ").splitlines()
    with_flags = [line.strip() for line in lines if re.search(r"\s-m(avx|fma|sse|prefer|arch|cpu)", line)]
    assert with_flags
    assert [line for line in with_flags if not line.startswith("add_level(")] == []


def run_at(level, code):
    environment = {**os.environ, "ALTERNANT_ISA": level}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("level", isa_levels())
def test_trap_37_one_build_runs_at_every_level(level):
    run = run_at(level, FIT)
    assert run.stdout.split() == [level, "3.723"], run.stderr


def test_trap_37_a_level_that_the_machine_lacks_is_refused_by_name():
    run = run_at("avx1024", "import alternant")
    levels = ", ".join(isa_levels())
    assert run.returncode != 0
    assert f"ALTERNANT_ISA must be one of {levels} on this machine, got 'avx1024'" in run.stderr
