"""Standard output: closed, without a reader, without a character, or one column wide."""

import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-m", "alternant"]


def ends(command: str, **environment: str) -> tuple[int, str, str]:
    """Run a shell command in which "$@" is the program; return its status and both outputs."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}", "bash", *PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", ["demo", "doctor", "fit --help"])
def test_a_reader_that_goes_away_is_no_error(command):
    """rich ends the process with status 1."""
    status, out, said = ends(f'"$@" {command} | {{ read -r line; }}')
    assert (status, out, said) == (0, "", "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["doctor", "--help", "demo"])
def test_a_closed_stream_is_no_error(command, closed):
    status, _, said = ends(f'"$@" {command} {closed}')
    assert (status, said) == (0, "")


@pytest.mark.parametrize("command", ["--help", "demo"])
def test_a_character_that_the_output_does_not_have(command):
    status, _, said = ends(f'"$@" {command}', PYTHONIOENCODING="ascii")
    assert status == 1
    assert said.startswith("error: cannot write '\\x")
    assert said.endswith("' in ascii: set PYTHONIOENCODING=utf-8, or name a file with --output\n")


@pytest.mark.parametrize("columns", ["0", "1", "5"])
def test_a_terminal_too_narrow_for_help(columns):
    """rich lays panels out for ever where a border leaves no column for words."""
    status, out, said = ends('"$@" fit --help', COLUMNS=columns)
    assert (status, said) == (0, "")
    assert "SOURCE" in out
