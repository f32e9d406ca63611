"""``alternant fit``: from a ratings file to a model file."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from alternant import weighting
from alternant.als import ExplicitALS
from alternant.cli import INTERRUPTED, console, output
from alternant.cli import config as settings_file
from alternant.cli.loading import MODEL, READING
from alternant.cli.options import flag_text, given, of_dataclass, of_function, with_options
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
    estimator = ExplicitALS(**given(SETTINGS, options, sections[""]))
    if output_file.suffix != ".safetensors":
        raise DataError(f"a model file ends in .safetensors, got {str(output_file)!r}")
    output.check_folder(output_file)
    interactions = read(source, **given(READING, options, sections["reading"]))
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
    console.note(
        f"wrote {output_file}: {model.n_users:,} users, {model.n_items:,} items, {model.n_factors} factors"
    )
    return INTERRUPTED if "interrupt" in model.stopped else 0


with_options(fit, {"Model": SETTINGS, "Reading": READING, "Selection": SELECTION})
