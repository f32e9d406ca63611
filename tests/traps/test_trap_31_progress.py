"""Trap 31: progress bars break in notebooks and log collectors.

Ours: a bar on a terminal or notebook, one plain log line per sweep elsewhere, a callback for all.
Planted fault: without ``without_sweep_lines`` in ``follow``, the second test finds lines above the bar.
"""

import io
import logging
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from alternant.als import ExplicitALS
from alternant.cli.progress import follow
from alternant.synthetic import catalogue

FIT = [sys.executable, "-c", "import sys; from alternant.cli import main; sys.exit(main())", "fit", "r.csv"]
LINE = re.compile(r"sweep (\d+) of 3: objective [0-9.e+]+, [0-9.]+ s")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    entries = catalogue(n_users=40, n_items=30, n_entries=400).interactions.entries()
    columns = (entries.user_index.tolist(), entries.item_index.tolist(), entries.values.tolist())
    rows = "".join(f"{u},{i},{r}\n" for u, i, r in zip(*columns, strict=True))
    (tmp_path / "r.csv").write_text("user,item,rating\n" + rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_trap_31_elsewhere_one_plain_line_per_sweep(here):
    done = subprocess.run(
        [*FIT, "--n-sweeps", "3", "--tol", "0"], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stderr.splitlines()
    assert [found[1] for found in map(LINE.fullmatch, lines) if found] == ["1", "2", "3"]
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", done.stderr)  # no carriage returns, no escapes
    assert done.stdout == ""


def test_trap_31_on_a_terminal_a_bar(here):
    main_end, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen(
        [*FIT, "--n-sweeps", "3", "--tol", "0"], stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(main_end, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(main_end)
    assert process.wait(timeout=60) == 0
    text = shown.decode()
    assert "\x1b[" in text
    assert "sweep 3/3" in text
    assert not LINE.search(text)
    assert "wrote model.safetensors" in text


@pytest.mark.parametrize("console", [{"force_jupyter": True}, {"force_terminal": False}])
def test_trap_31_where_no_bar_can_be_shown_the_log_tells(caplog, monkeypatch, console):
    """In a notebook without ipywidgets, too."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    written = io.StringIO()
    with (
        caplog.at_level(logging.INFO, logger="alternant"),
        follow(2, to=Console(file=written, **console)) as callback,
    ):
        ExplicitALS(n_factors=2, n_sweeps=2).fit(catalogue(n_users=40, n_items=30, n_entries=400).interactions, callback=callback)  # fmt: skip  # noqa: E501
    assert written.getvalue() == ""
    assert [message.split(":")[0] for message in caplog.messages] == ["sweep 1 of 2", "sweep 2 of 2"]


def test_trap_31_a_bar_counts_the_sweeps_and_never_returns_a_stop():
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    data = catalogue(n_users=40, n_items=30, n_entries=400).interactions
    with follow(5, to=console) as callback:
        model = ExplicitALS(n_factors=2, n_sweeps=5, tol=0).fit(data, callback=callback)
    assert sum(entry.side == "items" for entry in model.trace) == 5
    assert "sweep 5/5" in written.getvalue()


def test_trap_31_what_a_callback_is_told_prints_short():
    """``callback=print`` is a progress report, and not two tables of factors per line."""
    lines = []
    films = catalogue(n_users=40, n_items=30, n_entries=400).interactions
    ExplicitALS(n_factors=2, n_sweeps=1).fit(films, callback=lambda half: lines.append(str(half)))
    assert len(lines) == 2
    assert all(line.startswith("HalfSweep(sweep=1, side=") and "array" not in line for line in lines)
