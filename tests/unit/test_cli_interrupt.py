"""Ctrl-C during ``fit`` keeps what the finished sweeps gave, writes the model and says so."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alternant.cli import main
from alternant.model import load
from alternant.reading._duckdb import translated
from alternant.synthetic import catalogue

FIT = [sys.executable, "-c", "import sys; from alternant.cli import main; sys.exit(main())", "fit", "r.csv"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    entries = catalogue(n_users=300, n_items=200, n_entries=20_000).interactions.entries()
    columns = (entries.user_index.tolist(), entries.item_index.tolist(), entries.values.tolist())
    rows = "".join(f"{u},{i},{r}\n" for u, i, r in zip(*columns, strict=True))
    (tmp_path / "r.csv").write_text("user,item,rating\n" + rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_ctrl_c_writes_the_model(here):
    process = subprocess.Popen(
        [*FIT, "--n-sweeps", "1000000", "--tol", "0"], stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if line.startswith("sweep 3 of"):
            break
    process.send_signal(signal.SIGINT)
    began = time.perf_counter()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 130
    assert time.perf_counter() - began < 5  # a second on a quiet machine
    assert "interrupted after " in said
    assert "wrote model.safetensors: 300 users, 200 items" in said
    model = load("model.safetensors")
    assert model.stopped.startswith("interrupted after ")
    assert sum(entry.side == "items" for entry in model.trace) >= 3
    assert sorted(path.name for path in here.iterdir()) == ["model.safetensors", "r.csv"]
    process = subprocess.run([*FIT[:-2], "inspect"], capture_output=True, text=True, timeout=60, check=True)
    assert "interrupted after" in process.stdout


QUERY = """
import sys
from alternant.reading._duckdb import connect, rows_of
print("ready", flush=True)
try:
    rows_of(connect(), "select sum(hash(range)) from range(10_000_000_000)")
except KeyboardInterrupt:
    sys.exit(3)
"""


def test_ctrl_c_in_the_hands_of_duckdb():
    """Seen to wait for the end of the query in one run of three: hence three."""
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", QUERY], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 3  # half a minute without an interrupt
        process.stdout.close()


def test_what_duckdb_makes_of_ctrl_c():
    def interrupted():
        with translated("ratings.csv"):
            raise RuntimeError("Query interrupted")

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        interrupted()


def test_ctrl_c_while_the_demo_fits(capsys, monkeypatch):
    """Seen to go on with what was kept of the model, and to end with status 0."""

    def interrupted(number):
        @contextlib.contextmanager
        def follow(*_, **__):
            def advance(event):
                if event.sweep == number:
                    raise KeyboardInterrupt

            yield advance

        return follow

    monkeypatch.setattr("alternant.cli.demo_catalogue.follow", interrupted(3))
    assert main(["demo"]) == 130
    assert capsys.readouterr().err.endswith("error: interrupted\n")


def test_ctrl_c_before_anything_is_there_writes_nothing(here, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("alternant.cli.fit.read", interrupted)
    assert main(["fit", "r.csv"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"
    assert not Path("model.safetensors").exists()


SLOW = "select i // 1000000 as user, i % 1000000 as item, 1.0 as rating from range(4000000000) t(i)"


def test_ctrl_c_while_a_source_is_read(here):
    """DuckDB says RuntimeError: Query interrupted."""
    process = subprocess.Popen([*FIT[:-1], SLOW], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("reading the SQL query"):
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=30), said) == (130, "error: interrupted\n")


def test_ctrl_c_while_the_application_is_imported(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("alternant.cli.require", interrupted)
    from alternant.cli import main

    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"
