"""The demo: quick, within the terminal's width, honest about its numbers, and the same for the same seed."""

import re
import time

import pytest

from alternant.cli import main
from alternant.model import load
from alternant.reading import read, read_titles


def shown(capsys, *arguments):
    capsys.readouterr()
    assert main(["demo", *arguments]) == 0
    said = capsys.readouterr()
    return said.out, said.err


def without_seconds(text):
    return re.sub(r"[0-9.]+ s(econds|;)", "", text)


@pytest.mark.parametrize("width", [80, 120])
def test_the_demo(capsys, monkeypatch, width, tmp_path):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(tmp_path)
    began = time.perf_counter()
    out, err = shown(capsys)
    assert time.perf_counter() - began < 20
    assert err == ""
    assert list(tmp_path.iterdir()) == []
    assert max(map(len, out.splitlines())) <= width
    assert "[bold" not in out
    # The numbers of the 4 × 4 table.
    assert re.search(r"3,000 +3\.7228", out)
    assert re.search(r"user 1 +4\.96 +2\.95 +▸ 2\.73 +1\.00", out)
    assert re.search(r"user 3 +▸ 6\.43 ", out)
    assert re.search(r"user 2 .*▸ 2\.31 ", out)
    assert re.search(r"user 4 .*▸ 3\.94 ", out)
    # The model lies between the biases and the floor.
    errors = [float(number) for number in re.findall(r"(?:ratings|film|model|floor\)) +(\d\.\d{3}) +━", out)]
    mean, biases, model, floor = errors
    assert floor < model < 0.95 * biases < biases < mean
    # What is recommended suits the user's planted taste.
    listed, everything = re.search(
        r"not: (\d\.\d\d) for these 8 films, (\d\.\d\d)", " ".join(out.split())
    ).groups()
    assert float(listed) > float(everything) + 0.5


def test_the_same_seed_shows_the_same(capsys):
    one, two, other = (shown(capsys, "--seed", seed)[0] for seed in ("3", "3", "4"))
    assert without_seconds(one) == without_seconds(two) != without_seconds(other)


def test_what_is_saved_can_be_gone_on_with(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    out, err = shown(capsys, "--save", "here")
    assert "alternant recommend here/model.safetensors --user 1 --titles here/movies.csv" in out
    assert "wrote 1,000 rows to here/movies.csv" in err
    model, titles = load("here/model.safetensors"), read_titles("here/movies.csv")
    assert read("here/ratings.csv").n_users == model.n_users == 2000
    assert all(label in titles for label in model.item_ids.labels)
    capsys.readouterr()
    assert main(["recommend", "here/model.safetensors", "--user", "1", "--titles", "here/movies.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 11


def test_refusals(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(["demo", "--seed", "-1"]) == 1
    assert capsys.readouterr().err == "error: seed must be 0 or more, got -1\n"
    assert main(["demo", "--save", "file"]) == 1
    assert capsys.readouterr().err == "error: expected a folder to save into, got the file 'file'\n"
