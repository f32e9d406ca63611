"""Trap 38: a missing optional dependency shows as an obscure ImportError, or at the end of a long job.

Ours: at once, with the install line.
Planted fault: importing cyclopts at the top of ``alternant/cli/__init__.py`` fails the first test.
"""

import subprocess
import sys

import pytest


def without(module: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a new interpreter where `module` cannot be imported."""
    hidden = f"import sys; sys.modules[{module!r}] = None\n"
    return subprocess.run([sys.executable, "-c", hidden + code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("module", ["cyclopts", "rich", "duckdb"])
def test_trap_38_the_command_line_prints_the_install_line(module):
    done = without(module, "from alternant.cli import main; sys.exit(main(['fit', 'nowhere.csv']))")
    assert done.returncode == 1
    assert done.stderr == (
        "error: the command line needs the 'cli' extra: pip install '.[cli]' from a clone, "
        "or pip install 'alternant[cli]'\n"
    )
    assert done.stdout == ""


def test_trap_38_reading_says_it_on_import():
    code = (
        "from alternant.errors import MissingExtraError\n"
        "try:\n    import alternant.reading\nexcept MissingExtraError as error:\n    print(error)"
    )
    done = without("duckdb", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "reading files needs the 'read' extra: pip install '.[read]' from a clone, "
        "or pip install 'alternant[read]'\n"
    )


def test_trap_38_tuning_says_it_on_import():
    code = (
        "from alternant.errors import MissingExtraError\n"
        "try:\n    import alternant.tuning\nexcept MissingExtraError as error:\n    print(error)"
    )
    done = without("optuna", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "tuning needs the 'tune' extra: pip install '.[tune]' from a clone, "
        "or pip install 'alternant[tune]'\n"
    )


def test_trap_38_the_library_needs_none_of_them():
    code = (
        "import alternant, alternant.interactions, alternant.synthetic\n"
        "known = {'cyclopts', 'rich', 'duckdb', 'pandas', 'polars', 'pyarrow', 'optuna'}\n"
        "print(sorted(known & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_trap_38_a_star_import_needs_none_of_them():
    done = without("duckdb", "from alternant import *\nprint(ExplicitALS.__name__)")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "ExplicitALS\n")
