"""``alternant evaluate``: how good a model is on entries that it has not seen, beside baselines."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from alternant.cli import config as settings_file
from alternant.cli import console, output
from alternant.cli.fit import (
    ONLY_EXPLICIT,
    ONLY_IMPLICIT,
    SECTIONS,
    SELECTION,
    SETTINGS,
    SHARED,
    estimator_of,
    which_model,
)
from alternant.cli.loading import READING, is_implicit, model_of, ratings_of
from alternant.cli.options import UsageError, given, with_options
from alternant.cli.output import FormatOption, OutputOption
from alternant.cli.progress import follow
from alternant.errors import DataError
from alternant.evaluation import Report
from alternant.evaluation import evaluate as measured
from alternant.interactions import Interactions
from alternant.reading import read
from alternant.splitting import (
    Split,
    item_cold_split,
    leave_last_out,
    predefined_split,
    random_split,
    strong_split,
    time_split,
)
from alternant.weighting import select

Way = Literal["random", "last", "time", "users", "items"]

ReportOption = Annotated[
    Path | None,
    Parameter(help="A folder, which is made, for report.html, report.md and report.json."),
]


def evaluate(
    source: Annotated[
        str, Parameter(help="Ratings: a CSV, TSV, Parquet, JSON or '::' file, a glob, or an SQL query.")
    ],
    /,
    *,
    model: Annotated[
        Path | None,
        Parameter(help="A model file fitted to SOURCE, to be measured on --test; else one is fitted."),
    ] = None,
    test: Annotated[
        str | None,
        Parameter(help="A file of test entries. Default: a part of SOURCE; see --split."),
    ] = None,
    history: Annotated[
        str | None, Parameter(help="With --test: a file of what is known of users who are not in SOURCE.")
    ] = None,
    split: Annotated[
        Way | None,
        Parameter(
            show_default=False,
            help="What is put aside: random entries, the last of each user, the latest of all (time), some "
            "entries of held-out users, who are folded in by the others, or all entries of held-out items. "
            "Default: random; last with --implicit.",
        ),
    ] = None,
    fraction: Annotated[
        float | None,
        Parameter(help="Share of the entries, users or items to put aside; 0.1 by default."),
    ] = None,
    n_last: Annotated[
        int | None, Parameter(help="With --split last: so many of each user instead of a fraction.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help="A metric, such as rmse, ndcg@20 or recall@50; repeat it for more. Models are compared by "
            "the first.",
        ),
    ] = None,
    relevant_from: Annotated[
        float | None, Parameter(help="Test entries of at least this value are relevant; by default all.")
    ] = None,
    baseline: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help="mean, biases, popularity, random or item-knn; repeat it for more. Default: those that fit "
            "the metrics, item-knn where it takes seconds.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        Parameter(help="A TOML file of settings, as for fit or from tune. Options win over it."),
    ] = None,
    implicit: Annotated[
        bool | None, Parameter(show_default=False, help="Fit ImplicitALS, as fit --implicit does.")
    ] = None,
    report: ReportOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
    **options: Any,
) -> None:
    """Measure a model on entries that it has not seen, beside baselines, with intervals.

    A part of the file is put aside, a model with the settings given is fitted to the rest, and asked for
    that part. --seed draws the split, too.
    """
    chosen = output.check(format, output_file)
    check_folder(report)
    if (model is not None or history is not None) and test is None:
        raise UsageError("--model and --history need --test, a file of entries that the model has not seen")
    if test is not None and (split is not None or fraction is not None or n_last is not None):
        raise UsageError("--test is the part to measure on: leave out --split, --fraction and --n-last")
    sections = settings_file.load(config, SECTIONS)
    reading = given(READING, options, sections["reading"])
    fitted = None if model is None else model_of(model)
    of_implicit = is_implicit(fitted) if fitted is not None else which_model(implicit, sections[""])
    settings = given(SETTINGS, options, sections[""])
    if fitted is not None and (settings or implicit is not None):
        raise UsageError("--model is fitted: leave out the settings of a fit")
    estimator = estimator_of(settings, options, is_implicit=of_implicit)
    if not of_implicit:
        ratings_of(source, reading, otherwise="; --implicit is for clicks, plays and purchases")
    if fitted is not None:
        reading = {"user_kind": fitted.user_ids.kind, "item_kind": fitted.item_ids.kind, **reading}
    interactions = read(source, **reading)
    selection = given(SELECTION, options, sections["selection"])
    if selection:
        interactions = select(interactions, **selection)
    console.note(str(interactions.summary()))
    seed = estimator.seed or 0
    if test is None:
        parts = _parts(interactions, split or ("last" if of_implicit else "random"), fraction, n_last, seed)
    else:
        kinds = {"user_kind": interactions.user_ids.kind, "item_kind": interactions.item_ids.kind}
        others = [None if name is None else read(name, **{**reading, **kinds}) for name in (test, history)]
        if others[0] is None:
            raise UsageError("--test names no file")
        parts = predefined_split(interactions, others[0], history=others[1])
    console.note(repr(parts))
    if fitted is None:
        with follow(estimator.n_sweeps) as callback:
            fitted = estimator.fit(parts.train, callback=callback)
    found = measured(
        fitted,
        parts,
        metrics=metric,
        baselines="auto" if baseline is None else baseline,
        relevant_from=relevant_from,
        seed=seed,
        n_threads=estimator.n_threads,
    )
    show(found, chosen, output_file, report)


def show(found: Report, format: output.Format, output_file: Path | None, report: Path | None) -> None:
    """Write the numbers to standard output or a file, and the report into its folder."""
    output.write(found.columns(), format=format, output=output_file, title="metrics")
    for row in found.differences:
        console.note(
            f"{row.metric}: {row.difference:+.4f} [{row.low:+.4f}, {row.high:+.4f}] against {row.baseline}, "
            f"p = {row.p:.2g}"
        )
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        for suffix in ("md", "json", "html"):
            found.write(report / f"report.{suffix}")
        console.note(f"wrote {report / 'report.html'}, report.md and report.json")


def check_folder(report: Path | None) -> None:
    """Refuse a report folder that is a file."""
    if report is not None and report.exists() and not report.is_dir():
        raise DataError(f"expected a folder to write a report into, got the file {str(report)!r}")


def _parts(
    interactions: Interactions, way: Way, fraction: float | None, n_last: int | None, seed: int
) -> Split:
    if n_last is not None and (way != "last" or fraction is not None):
        raise UsageError("--n-last goes with --split last, and without --fraction")
    share = 0.1 if fraction is None else fraction
    if way == "random":
        return random_split(interactions, test_fraction=share, seed=seed)
    if way == "last":
        if n_last is not None:
            return leave_last_out(interactions, n_last=n_last, seed=seed)
        return leave_last_out(interactions, fraction=share, seed=seed)
    if way == "time":
        return time_split(interactions, test_fraction=share)
    if way == "users":
        return strong_split(interactions, user_fraction=share, seed=seed)
    return item_cold_split(interactions, item_fraction=share, seed=seed)


with_options(
    evaluate,
    {
        "Model": SHARED,
        "Explicit model": ONLY_EXPLICIT,
        "Implicit model": ONLY_IMPLICIT,
        "Reading": READING,
        "Selection": SELECTION,
    },
)
