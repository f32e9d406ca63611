"""``alternant plot`` and ``alternant fit --report``."""

import sys

import pytest

from alternant import ExplicitALS
from alternant.cli import app, main
from alternant.cli.plot import KINDS, plot
from alternant.synthetic import catalogue, example


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ExplicitALS(n_factors=2, regularization=0.1, n_sweeps=3).fit(example()).save("model.safetensors")
    return tmp_path


def fails(capsys, *arguments, status=1):
    assert main(list(arguments)) == status
    return capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(kind, folder):
    assert f"{kind}: " in plot.__doc__
    assert main(["plot", kind, "--theme", "dark"]) == 0
    assert (folder / f"{kind}.svg").read_text().startswith("<svg")


def test_titles_users_items_and_ratings(folder, capsys):
    (folder / "films.csv").write_text("id,title\nfilm 1,Alien\n")
    (folder / "test.csv").write_text("user,item,rating\nuser 1,film 3,2\n")
    matrix = ["plot", "filled-matrix", "--titles", "films.csv", "-o", "x.svg"]
    assert main([*matrix, "--user", "user 2", "--item", "film 1", "--item", "film 2"]) == 0
    drawn = (folder / "x.svg").read_text()
    assert "Alien" in drawn
    assert "film 2" in drawn
    assert "user 1" not in drawn
    assert main(["plot", "predicted-actual", "--ratings", "test.csv"]) == 0
    assert "test.csv" in (folder / "predicted-actual.svg").read_text()
    capsys.readouterr()


def test_refusals(folder, capsys):
    assert "a picture ends in .svg, .png or .html, got 'x.gif'" in fails(
        capsys, "plot", "sweeps", "-o", "x.gif"
    )
    assert "--n is for item-map only" in fails(capsys, "plot", "sweeps", "-n", "3", status=2)
    assert "no model file 'no'" in fails(capsys, "plot", "sweeps", "no")
    catalogue_model = ExplicitALS(n_factors=2, n_sweeps=1).fit(
        catalogue(n_users=50, n_items=30, n_entries=400).interactions
    )
    catalogue_model.save("big.safetensors")
    said = fails(capsys, "plot", "filled-matrix", "big.safetensors")
    assert "a matrix of at most 40 users can be read, got 50; name some with --user" in said
    assert not (folder / "filled-matrix.svg").exists()


def test_a_report_of_a_fit(folder, capsys):
    (folder / "r.csv").write_text("user,item,rating\na,x,5\na,y,3\nb,x,4\nb,y,1\nc,y,2\n")
    (folder / "titles.csv").write_text("id,title\nx,Alien\n")
    fit = ["fit", "r.csv", "--n-factors", "2", "--report", "out", "--titles", "titles.csv"]
    assert main(fit) == 0
    assert "wrote out/report.html and" in capsys.readouterr().err
    assert "ExplicitALS on r.csv" in (folder / "out" / "report.html").read_text()
    assert "Alien" in (folder / "out" / "report.md").read_text()


def test_reports_are_refused_before_the_fit(folder, capsys, monkeypatch):
    (folder / "file").write_text("")
    said = fails(capsys, "fit", "no.csv", "--report", "file")
    assert "expected a folder to write a report into, got the file 'file'" in said
    assert "--titles is for the report; add --report DIR" in fails(
        capsys, "fit", "no.csv", "--titles", "file", status=2
    )
    for name in [name for name in sys.modules if name.startswith("alternant.plots")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("alternant.plots")
    monkeypatch.setattr("alternant._optional.importlib.util.find_spec", missing(*("altair", "vl_convert")))
    for command in (["fit", "no.csv", "--report", "out"], ["plot", "sweeps"]):
        assert "drawing charts needs the 'plots' extra: pip install" in fails(capsys, *command)


def missing(*names):
    """Return a find_spec that does not find some modules."""
    from importlib.util import find_spec

    return lambda name, *rest: None if name in names else find_spec(name, *rest)


def test_plot_is_a_command():
    assert plot in app.COMMANDS
