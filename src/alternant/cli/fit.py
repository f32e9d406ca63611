"""``alternant fit``: from a ratings file to a model file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from alternant import weighting
from alternant.als import ExplicitALS
from alternant.cli import INTERRUPTED, console, output
from alternant.cli import config as settings_file
from alternant.cli.loading import MODEL, READING, ratings_of
from alternant.cli.options import UsageError, flag_text, given, of_dataclass, of_function, with_options
from alternant.cli.progress import follow
from alternant.errors import DataError
from alternant.reading import read

SETTINGS = of_dataclass(ExplicitALS)
SELECTION = of_function(weighting.select)
SECTIONS = {"": SETTINGS, "reading": READING, "selection": SELECTION}


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
    **options: Any,
) -> int:
    """Fit a model to a file of ratings and save it.

    Ctrl-C stops the fit and saves what the finished sweeps gave.
    """
    sections = settings_file.load(config, SECTIONS)
    # Settings, folders and names are refused before the file is read: not at the end of a long job.
    estimator = _estimator(given(SETTINGS, options, sections[""]), options)
    if output_file.suffix != ".safetensors":
        raise DataError(f"a model file ends in .safetensors, got {str(output_file)!r}")
    output.check_folder(output_file)
    reading = given(READING, options, sections["reading"])
    ratings_of(source, reading)
    interactions = read(source, **reading)
    selection = given(SELECTION, options, sections["selection"])
    if selection:
        n_read = interactions.n_entries
        interactions = weighting.select(interactions, **selection)
        if interactions.n_entries == 0:
            chosen = ", ".join(f"{flag_text(name)} {value!r}" for name, value in selection.items())
            raise DataError(f"none of the {n_read:,} entries is left by {chosen}; ask for less")
    console.note(str(interactions.summary()))
    with follow(estimator.n_sweeps) as callback:
        model = estimator.fit(interactions, callback=callback)
    model.save(output_file)
    last = model.trace[-1]
    console.note(f"{model.stopped}; objective {last.objective:,.6g}, {last.seconds:.1f} s")
    sizes = (model.n_users, "user"), (model.n_items, "item"), (model.n_factors, "factor")
    console.note(f"wrote {output_file}: {', '.join(console.counted(*size) for size in sizes)}")
    return INTERRUPTED if "interrupt" in model.stopped else 0


def _estimator(settings: dict[str, Any], options: Mapping[str, Any]) -> ExplicitALS:
    """Return the estimator; a setting that was typed is refused by the name of its option."""
    try:
        return ExplicitALS(**settings)
    except DataError as error:
        name, _, rest = str(error).partition(" ")
        if options.get(name) is None:
            raise
        raise UsageError(f"{flag_text(name)} {rest}") from None


with_options(fit, {"Model": SETTINGS, "Reading": READING, "Selection": SELECTION})
