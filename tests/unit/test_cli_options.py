"""Options are derived: from a dataclass of settings, from a signature and its docstring."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest
from cyclopts import App, CycloptsError

from alternant.cli import config
from alternant.cli.options import given, of_dataclass, of_function, with_options
from alternant.errors import DataError


@dataclasses.dataclass(frozen=True)
class Settings:
    n_factors: int = dataclasses.field(default=32, metadata={"help": "how many"})
    regularization: float | Literal["auto"] = dataclasses.field(default="auto", metadata={"help": "how much"})
    biases: bool = dataclasses.field(default=True, metadata={"help": "with biases"})
    seed: int | None = dataclasses.field(default=None, metadata={"help": "the seed"})


def chosen(data, *, value: str | None = None, weights: Mapping[str, float] | None = None, least: int = 1):
    """Choose.

    Parameters
    ----------
    data : object
        The data.
    value, weights : str or None
        Which column;
        None: ``guessed``.
    least : at least 1; fewer
        go

    Returns
    -------
    nothing : at all
        Really.
    """


def run(*tokens):
    groups = {"Model": of_dataclass(Settings), "Choice": of_function(chosen, suffix={"value": "_column"})}

    def command(source: str, /, **options):
        return {title: given(derived, options) for title, derived in groups.items()}

    with_options(command, groups)
    app = App()
    app.default(command)
    return app(list(tokens), exit_on_error=False, print_error=False, result_action="return_value")


def test_names_types_defaults_and_help_are_those_of_the_source():
    options = of_dataclass(Settings)
    assert [(o.name, o.type, o.default, o.help) for o in options][:2] == [
        ("n_factors", int, 32, "how many"),
        ("regularization", float | Literal["auto"], "auto", "how much"),
    ]
    texts = {o.name: o.help for o in of_function(chosen)}
    assert texts == {
        "value": "Which column; None: guessed.",
        "weights": "Which column; None: guessed.",
        "least": "at least 1; fewer go",
    }


def test_only_what_was_given_is_passed_on():
    assert run("x") == {"Model": {}, "Choice": {}}
    assert run("x", "--n-factors", "8", "--regularization", "0.5", "--no-biases") == {
        "Model": {"n_factors": 8, "regularization": 0.5, "biases": False},
        "Choice": {},
    }
    assert run("x", "--regularization", "auto", "--value-column", "v", "--weights", "view=1, buy=5") == {
        "Model": {"regularization": "auto"},
        "Choice": {"value": "v", "weights": {"view": 1.0, "buy": 5.0}},
    }


def test_what_does_not_fit_is_refused():
    with pytest.raises(CycloptsError, match=r"unable to convert \"many\" into int"):
        run("x", "--n-factors", "many")
    with pytest.raises(CycloptsError, match=r"Unknown option: --factors"):
        run("x", "--factors", "3")
    with pytest.raises(DataError, match=r"--weights must look like view=1,buy=5, got 'view'"):
        run("x", "--weights", "view")


SECTIONS = {"": of_dataclass(Settings), "choice": of_function(chosen)}


def test_a_settings_file(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text('n_factors = 64\nregularization = "auto"\n[choice]\nvalue = "v"\nweights = {view = 1}\n')
    loaded = config.load(file, SECTIONS)
    assert given(SECTIONS[""], {"n_factors": 8}, loaded[""]) == {"n_factors": 8, "regularization": "auto"}
    assert given(SECTIONS["choice"], {}, loaded["choice"]) == {"value": "v", "weights": {"view": 1}}
    assert config.load(None, SECTIONS) == {"": {}, "choice": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "factors = 3\n",
            r"unknown setting 'factors' in s\.toml; expected n_factors, .*; tables: \[choice\]",
        ),
        ("[choices]\n", r"unknown setting 'choices' in s\.toml; expected n_factors, "),
        (
            "[choice]\nx = 1\n",
            r"unknown setting 'x' in \[choice\] of s\.toml; expected value, weights, least",
        ),
        ("choice = 3\n", r"\[choice\] of s\.toml must be a table, got 3"),
        ("n_factors\n", r"s\.toml is not TOML: "),
    ],
)  # fmt: skip
def test_a_settings_file_that_is_refused(tmp_path: Path, text, message):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(DataError, match=message):
        config.load(tmp_path / "s.toml", SECTIONS)


def test_a_settings_file_that_is_missing(tmp_path: Path):
    with pytest.raises(DataError, match=r"no settings file '.*none\.toml'"):
        config.load(tmp_path / "none.toml", SECTIONS)
