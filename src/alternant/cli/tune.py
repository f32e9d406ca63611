"""``alternant tune``: look for better settings of a model of a ratings file."""

import re
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from alternant.als import ExplicitALS, ImplicitALS, check_metric
from alternant.cli import INTERRUPTED, console, output
from alternant.cli.loading import READING, ratings_of
from alternant.cli.options import flag_text, given, whole_from, with_options
from alternant.cli.progress import without_sweep_lines
from alternant.errors import DataError
from alternant.reading import read
from alternant.splitting import Split, leave_last_out, random_split, time_split

_BUDGET = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _duration(kind: Any, tokens: Any) -> float:
    """Return the seconds of a duration such as 90s, 10m or 1h."""
    typed: Token = tokens[-1]
    found = _BUDGET.fullmatch(typed.value)
    if found is None or float(found[1]) <= 0:
        raise ValueError(f"expected a duration such as 90s, 10m or 1h, got {typed.value!r}")
    return float(found[1]) * _SECONDS[found[2]]


def tune(
    source: Annotated[
        str, Parameter(help="Ratings: a CSV, TSV, Parquet, JSON or '::' file, a glob, or an SQL query.")
    ],
    /,
    *,
    implicit: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Tune ImplicitALS, as fit --implicit fits it.")
    ] = False,
    metric: Annotated[
        str,
        Parameter(
            help="rmse, mae, or ndcg@20, recall@20, precision@20 with any number; auto: rmse, ndcg@20 with "
            "--implicit."
        ),
    ] = "auto",
    budget: Annotated[
        float | None,
        Parameter(converter=_duration, metavar="DURATION", help="How long to look: 90s, 10m, 1h."),
    ] = None,
    n_trials: Annotated[
        int | None,
        Parameter(
            converter=whole_from(1),
            help="How many trials, those of --storage included; 40 where there is no --budget.",
        ),
    ] = None,
    validation: Annotated[
        str | None,
        Parameter(
            help="A file of ratings to measure on. Default: a part of SOURCE is put aside; see --test."
        ),
    ] = None,
    test: Annotated[
        str,
        Parameter(
            help="Put 10 % aside that trials never see, and measure the best settings on it at the end: "
            "random, time (the latest), last (of each user), or none. The validation part is taken likewise."
        ),
    ] = "none",
    output_file: Annotated[
        Path, Parameter(name=["--output", "-o"], help="The settings file to write, for fit --config.")
    ] = Path("tuned.toml"),
    history: Annotated[
        Path | None, Parameter(help="Write all trials to this file (.csv, .json, .parquet).")
    ] = None,
    storage: Annotated[
        Path | None,
        Parameter(help="Keep trials here, so that a search goes on where it stopped: .db, or a journal."),
    ] = None,
    n_jobs: Annotated[
        int, Parameter(converter=whole_from(1), help="Trials at a time, which share the threads.")
    ] = 1,
    n_threads: Annotated[
        int | None, Parameter(converter=whole_from(1), help="Threads of all trials together.")
    ] = None,
    seed: Annotated[
        int, Parameter(converter=whole_from(0), help="Seed of splits, starts and proposals.")
    ] = 0,
    **options: Any,
) -> int:
    """Look for better settings of a model, on ratings put aside.

    The best settings are printed as a command of fit, and written as its settings file. Ctrl-C ends the
    search with what was found.
    """
    from alternant import tuning  # needs the extra tune

    name = check_metric(metric, "implicit" if implicit else "explicit")
    if output_file.suffix != ".toml":
        raise DataError(f"a settings file ends in .toml, got {str(output_file)!r}")
    output.check_folder(output_file)
    format = None if history is None else output.check(None, history)
    reading = given(READING, options)
    if not implicit:
        ratings_of(source, reading, otherwise="; --implicit is for clicks, plays and purchases")
    interactions = read(source, **reading)
    console.note(str(interactions.summary()))
    held_out = None
    if validation is not None:
        kinds = {"user_kind": interactions.user_ids.kind, "item_kind": interactions.item_ids.kind}
        held_out = read(validation, **{**reading, **kinds})
    split = _split(interactions, test, seed)
    with without_sweep_lines():
        tuned = tuning.tune(
            ImplicitALS(seed=seed) if implicit else ExplicitALS(seed=seed),
            interactions if split is None else split,
            metric=name,
            n_trials=n_trials,
            time_budget=budget,
            validation=held_out,
            test=split is not None,
            storage=storage,
            n_jobs=n_jobs,
            seed=seed,
            n_threads=n_threads,
        )
    output_file.write_text(tuned.to_toml(), encoding="utf-8")
    if history is not None and format is not None:
        output.write(tuned.columns(), format=format, output=history)
    for line in str(tuned).splitlines()[:-1]:
        console.note(line)
    words: list[str] = []
    for option in READING:
        if option.name in reading:
            words += [flag_text(option.flag), str(reading[option.name])]
    console.out(width=10_000).print(tuned.command(source, words))
    console.note(f"wrote {output_file}")
    return INTERRUPTED if tuned.stopped == "interrupted" else 0


def _split(interactions: Any, how: str, seed: int) -> Split | None:
    if how == "none":
        return None
    if how == "random":
        return random_split(interactions, test_fraction=0.1, seed=seed)
    if how == "time":
        return time_split(interactions, test_fraction=0.1)
    if how == "last":
        return leave_last_out(interactions, fraction=0.1, seed=seed)
    raise DataError(f"--test must be random, time, last or none, got {how!r}")


with_options(tune, {"Reading": READING})
