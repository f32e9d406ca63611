"""The facts that doctor shows."""

import json
import os
import sys

from alternant import __version__, kernels
from alternant.cli.doctor import doctor, examine


def test_the_facts():
    facts = examine()
    assert facts["version"] == __version__
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["isa"] in facts["isa_levels"] == list(kernels.isa_levels())
    assert facts["n_threads"] == kernels.available_threads().n_threads
    assert facts["n_threads_source"] in (
        "ALTERNANT_NUM_THREADS",
        "CPU affinity",
        "CPU count",
        "cgroup CPU quota",
    )
    assert 2**20 < facts["memory_available_bytes"] <= facts["memory_bytes"]
    assert {part["package"]: bool(part["version"]) for part in facts["optional"]}["duckdb"]


def test_where_the_number_of_threads_comes_from(monkeypatch):
    monkeypatch.setenv("ALTERNANT_NUM_THREADS", "3")
    assert (examine()["n_threads"], examine()["n_threads_source"]) == (3, "ALTERNANT_NUM_THREADS")
    monkeypatch.delenv("ALTERNANT_NUM_THREADS")
    assert examine()["n_threads"] <= (os.cpu_count() or 1)


def test_a_table_and_json(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    doctor()
    text = capsys.readouterr().out
    assert f"{kernels.isa()} in use, of " in text
    assert "reading CSV, Parquet, JSON and SQL" in text
    assert max(map(len, text.splitlines())) <= 100
    doctor(format="json")
    assert json.loads(capsys.readouterr().out)["isa"] == kernels.isa()


def test_a_package_that_is_missing(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.setitem(sys.modules, "scipy", None)
    doctor()
    text = " ".join(capsys.readouterr().out.split())
    assert "not installed: pip install 'alternant[read]'" in text
    assert "not installed: pip install scipy" in text
