"""The public names of `alternant`, and what importing it costs."""

import importlib.metadata
import json
import subprocess
import sys

import alternant
from alternant import errors

OPTIONAL = {"cyclopts", "duckdb", "pandas", "polars", "pyarrow", "rich", "scipy"}
IMPORT = """
import json, sys, time
began = time.perf_counter()
import alternant
seconds = time.perf_counter() - began
print(json.dumps([seconds, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def test_all_is_what_the_package_shows():
    named = {name: thing for name, thing in vars(alternant).items() if not name.startswith("_")}
    own = {name for name, thing in named.items() if getattr(thing, "__module__", "").startswith("alternant")}
    assert own <= set(alternant.__all__)
    assert all(hasattr(alternant, name) for name in alternant.__all__)
    assert set(alternant.__all__) <= set(dir(alternant))
    assert alternant.__all__ == sorted(alternant.__all__)


def test_every_error_is_public():
    tree = {name for name, thing in vars(errors).items() if isinstance(thing, type)}
    assert tree <= set(alternant.__all__)
    assert all(issubclass(getattr(errors, name), errors.AlternantError) for name in tree)


def test_the_version_is_that_of_the_distribution():
    assert alternant.__version__ == importlib.metadata.version("alternant")


def test_importing_pulls_in_no_optional_package():
    """A time is shown (pytest -s), not asserted: on a busy machine that would fail now and then."""
    command = [sys.executable, "-c", IMPORT]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(3)]
    seconds, modules = zip(*(json.loads(run.stdout) for run in runs), strict=True)
    sys.stdout.write(f"import alternant: {sorted(seconds)[1]:.3f} s, median of {len(runs)}\n")
    assert OPTIONAL.isdisjoint(modules[0])
