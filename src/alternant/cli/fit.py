"""``alternant fit``: from a ratings file to a model file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from alternant import weighting
from alternant.als import ExplicitALS, ImplicitALS, check_metric
from alternant.cli import INTERRUPTED, console, fit_report, output
from alternant.cli import config as settings_file
from alternant.cli.attributes import (
    ItemAttributesIdOption,
    ItemAttributesOption,
    ItemAttributesUseOption,
    UserAttributesIdOption,
    UserAttributesOption,
    UserAttributesUseOption,
    choices,
)
from alternant.cli.loading import MODEL, READING, TitlesOption, ratings_of, titles_of
from alternant.cli.options import (
    Option,
    UsageError,
    common,
    flag_text,
    given,
    of_dataclass,
    of_function,
    with_options,
    without,
)
from alternant.cli.progress import follow
from alternant.errors import DataError
from alternant.reading import read

EXPLICIT, IMPLICIT = of_dataclass(ExplicitALS), of_dataclass(ImplicitALS)
SHARED = common(EXPLICIT, IMPLICIT, when="with --implicit")
ONLY_EXPLICIT, ONLY_IMPLICIT = without(EXPLICIT, IMPLICIT), without(IMPLICIT, EXPLICIT)
SETTINGS = (*SHARED, *ONLY_EXPLICIT, *ONLY_IMPLICIT)
SELECTION = of_function(weighting.select)
_MODEL = Option("model", "model", str, "explicit", "explicit or implicit")  # of a settings file only
SECTIONS = {"": (_MODEL, *SETTINGS), "reading": READING, "selection": SELECTION}


def fit(
    source: Annotated[
        str, Parameter(help="Ratings: a CSV, TSV, Parquet, JSON or '::' file, a glob, or an SQL query.")
    ],
    /,
    *,
    output_file: Annotated[
        Path,
        Parameter(name=["--output", "-o"], help="The model file to write; replaced when it is complete."),
    ] = MODEL,
    config: Annotated[
        Path | None,
        Parameter(
            help="A TOML file of settings: keys of the model, [reading], [selection]. Options win over it."
        ),
    ] = None,
    implicit: Annotated[
        bool | None,
        Parameter(
            show_default=False,
            help="Fit a model of what people did (clicks, plays, purchases) instead of ratings: ImplicitALS.",
        ),
    ] = None,
    validation: Annotated[
        str | None,
        Parameter(
            help="Ratings that are not trained on, in a file with the same columns: keep the sweep that is "
            "best on them, and stop after --patience sweeps without a better one."
        ),
    ] = None,
    validation_metric: Annotated[
        str,
        Parameter(
            help="What is best: rmse, mae, or ndcg@20, recall@20, precision@20 with any number; auto: rmse, "
            "ndcg@20 with --implicit."
        ),
    ] = "auto",
    user_attributes: UserAttributesOption = None,
    user_attributes_id: UserAttributesIdOption = None,
    user_attributes_use: UserAttributesUseOption = None,
    item_attributes: ItemAttributesOption = None,
    item_attributes_id: ItemAttributesIdOption = None,
    item_attributes_use: ItemAttributesUseOption = None,
    report: Annotated[
        Path | None,
        Parameter(
            metavar="DIR",
            help="Write report.html, a page that needs no other file, report.md and charts into this folder. "
            "Needs the extra plots.",
        ),
    ] = None,
    titles: TitlesOption = None,
    **options: Any,
) -> int:
    """Fit a model to a file of ratings and save it.

    With --implicit, to a file of what people did: every row counts 1 where there are no values. Ctrl-C stops
    the fit and saves what the finished sweeps gave.
    """
    if report is not None:
        fit_report.check(report)
    elif titles is not None:
        raise UsageError("--titles is for the report; add --report DIR")
    sections = settings_file.load(config, SECTIONS)
    # Settings, folders and names are refused before the file is read: not at the end of a long job.
    is_implicit = which_model(implicit, sections[""])
    estimator = estimator_of(given(SETTINGS, options, sections[""]), options, is_implicit=is_implicit)
    metric = check_metric(validation_metric, "implicit" if is_implicit else "explicit")
    if output_file.suffix != ".safetensors":
        raise DataError(f"a model file ends in .safetensors, got {str(output_file)!r}")
    output.check_folder(output_file)
    about_users = choices("user", user_attributes, user_attributes_id, user_attributes_use)
    about_items = choices("item", item_attributes, item_attributes_id, item_attributes_use)
    reading = given(READING, options, sections["reading"])
    if not is_implicit:
        ratings_of(source, reading, otherwise="; --implicit is for clicks, plays and purchases")
    interactions = read(source, **reading)
    selection = given(SELECTION, options, sections["selection"])
    if selection:
        n_read = interactions.n_entries
        interactions = weighting.select(interactions, **selection)
        if interactions.n_entries == 0:
            chosen = ", ".join(f"{flag_text(name)} {value!r}" for name, value in selection.items())
            raise DataError(f"none of the {n_read:,} entries is left by {chosen}; ask for less")
    console.note(str(interactions.summary()))
    held_out = None
    if validation is not None:
        kinds = {"user_kind": interactions.user_ids.kind, "item_kind": interactions.item_ids.kind}
        held_out = read(validation, **{**reading, **kinds})
    users = about_users.read(interactions.user_ids)
    items = about_items.read(interactions.item_ids)
    with follow(estimator.n_sweeps) as callback:
        model = estimator.fit(
            interactions,
            user_attributes=users,
            item_attributes=items,
            validation=held_out,
            validation_metric=metric,
            callback=callback,
        )
    model.save(output_file)
    last = model.trace[-1]
    console.note(f"{model.stopped}; objective {last.objective:,.6g}, {last.seconds:.1f} s")
    sizes = (model.n_users, "user"), (model.n_items, "item"), (model.n_factors, "factor")
    console.note(f"wrote {output_file}: {', '.join(console.counted(*size) for size in sizes)}")
    if report is not None:
        fit_report.write(report, model, source, titles_of(titles, model.item_ids))
    return INTERRUPTED if "interrupt" in model.stopped else 0


def which_model(typed: bool | None, settings: Mapping[str, Any]) -> bool:
    """Return which model is meant: what was typed, else what the settings file says."""
    model = settings.get("model", "explicit")
    if model not in ("explicit", "implicit"):
        raise DataError(f'model of the settings file must be "explicit" or "implicit", got {model!r}')
    return model == "implicit" if typed is None else typed


def estimator_of(
    settings: dict[str, Any], options: Mapping[str, Any], *, is_implicit: bool
) -> ExplicitALS | ImplicitALS:
    """Return the estimator; a setting that was typed is refused by the name of its option."""
    for option in ONLY_EXPLICIT if is_implicit else ONLY_IMPLICIT:
        if option.name not in settings:
            continue
        if options.get(option.flag) is None:
            remedy = 'model = "implicit" does not go with it' if is_implicit else 'add model = "implicit"'
            name = repr(option.name)
            refusal: type[DataError] = DataError
        else:
            remedy = "leave it out, or leave out --implicit" if is_implicit else "add --implicit"
            name, refusal = flag_text(option.flag), UsageError
        whose = "explicit" if is_implicit else "implicit"
        raise refusal(f"{name} is a setting of the {whose} model only; {remedy}")
    try:
        return ImplicitALS(**settings) if is_implicit else ExplicitALS(**settings)
    except DataError as error:
        name, _, rest = str(error).partition(" ")
        if options.get(name) is None:
            raise
        raise UsageError(f"{flag_text(name)} {rest}") from None


with_options(
    fit,
    {
        "Model": SHARED,
        "Explicit model": ONLY_EXPLICIT,
        "Implicit model": ONLY_IMPLICIT,
        "Reading": READING,
        "Selection": SELECTION,
    },
)
