"""``alternant plot``: a picture of a model."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from cyclopts import Parameter

from alternant.cli import console, output
from alternant.cli.loading import FOR_A_MODEL, MODEL, ModelArgument, TitlesOption, labels, model_of, titles_of
from alternant.cli.options import UsageError, given, whole_from, with_options
from alternant.cli.progress import without_sweep_lines
from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.model import FactorModel
from alternant.reading import read

Kind = Literal["sweeps", "spectrum", "item-map", "filled-matrix", "predicted-actual", "als-steps"]
KINDS: tuple[str, ...] = get_args(Kind)


def plot(
    kind: Annotated[Kind, Parameter(help="What to draw, one of the kinds above.")],
    model: ModelArgument = MODEL,
    /,
    *,
    output_file: Annotated[
        Path | None,
        Parameter(
            name=["--output", "-o"],
            help="The picture to write: .svg, .png or .html. By default KIND.svg.",
        ),
    ] = None,
    titles: TitlesOption = None,
    theme: Annotated[Literal["light", "dark"], Parameter(help="For a light or a dark background.")] = "light",
    n: Annotated[
        int | None,
        Parameter(
            name=["--n", "-n"],
            converter=whole_from(1),
            show_default=False,
            help="Of an item-map: how many items get a title; 80 by default.",
        ),
    ] = None,
    user: Annotated[
        list[str] | None,
        Parameter(negative=(), help="Of a filled-matrix: a user id; repeat it for more. By default all."),
    ] = None,
    item: Annotated[
        list[str] | None,
        Parameter(negative=(), help="Of a filled-matrix: an item id; repeat it for more. By default all."),
    ] = None,
    ratings: Annotated[
        str | None,
        Parameter(
            help="Of predicted-actual: a file of ratings, such as a test part. By default the "
            "training data that "
            "the model holds."
        ),
    ] = None,
    **options: Any,
) -> None:
    """Draw a picture of a model. Needs the extra plots.

    sweeps: the objective after each half-sweep of the fit.

    spectrum: how much each factor carries.

    item-map: items in the plane of two factors, with titles.

    filled-matrix: the predictions of all pairs of a small model, known cells framed.

    predicted-actual: predictions against ratings.

    als-steps: what ALS does, step by step, on a table of four users and four films; no model is needed.
    """
    from alternant import plots

    path = output_file if output_file is not None else Path(f"{kind}.svg")
    if path.suffix.lower() not in plots.FORMATS:
        raise DataError(f"a picture ends in .svg, .png or .html, got {str(path)!r}")
    output.check_folder(path)
    for name, value, wanted in (
        ("--n", n, "item-map"),
        ("--user", user, "filled-matrix"),
        ("--item", item, "filled-matrix"),
        ("--ratings", ratings, "predicted-actual"),
    ):
        if value is not None and kind != wanted:
            raise UsageError(f"{name} is for {wanted} only")
    if kind == "als-steps":
        with without_sweep_lines():
            chart: Any = plots.als_steps()
    else:
        fitted = model_of(model)
        names = titles_of(titles, fitted.item_ids)
        if kind == "sweeps":
            chart = plots.sweeps(fitted)
        elif kind == "spectrum":
            chart = plots.spectrum(fitted)
        elif kind == "item-map":
            chart = (
                plots.item_map(fitted, titles=names)
                if n is None
                else plots.item_map(fitted, titles=names, n=n)
            )
        elif kind == "filled-matrix":
            users = None if user is None else labels(user, fitted.user_ids, "user")
            items = None if item is None else labels(item, fitted.item_ids, "item")
            chart = plots.filled_matrix(fitted, users=users, items=items, titles=names)
        else:
            chart = _predicted_actual(fitted, ratings, given(FOR_A_MODEL, options))
    plots.save(chart, path, theme=theme)
    console.note(f"wrote {path}")


def _predicted_actual(model: FactorModel, ratings: str | None, reading: dict[str, Any]) -> Any:
    from alternant import plots

    what = "training data" if ratings is None else Path(ratings).name
    asked: Interactions | None = model.history
    if ratings is not None:
        asked = read(ratings, user_kind=model.user_ids.kind, item_kind=model.item_ids.kind, **reading)
    if asked is None:
        raise DataError("this model holds no training data; name a file with --ratings")
    user_index, item_index, values, _, times = asked.entries()
    if values is None:
        raise DataError("there are no ratings to compare with; name a file that has some with --ratings")
    times = times if model.day_biases is not None else None
    users, items = asked.user_ids.decode(user_index), asked.item_ids.decode(item_index)
    predicted = np.asarray(model.predict(users, items, times=times, unknown="fallback"))
    return plots.predicted_actual(predicted, values, what=what)


with_options(plot, {"Reading": FOR_A_MODEL})
