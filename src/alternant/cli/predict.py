"""``alternant predict``: ratings of given users and items."""

import itertools
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from alternant import metrics
from alternant.cli import console, output
from alternant.cli.loading import (
    FOR_A_MODEL,
    MODEL,
    ModelArgument,
    TitlesOption,
    has_ratings,
    is_implicit,
    labels,
    model_of,
    titles_of,
)
from alternant.cli.options import UsageError, given, shown, with_options
from alternant.cli.output import FormatOption, OutputOption
from alternant.reading import read

MOST_SHOWN = 20


def predict(
    model: ModelArgument = MODEL,
    pairs: Annotated[
        str | None, Parameter(help="A file, glob or SQL query with a column of users and one of items.")
    ] = None,
    /,
    *,
    user: Annotated[list[str] | None, Parameter(negative=(), help="A user id; repeat it for more.")] = None,
    item: Annotated[
        list[str] | None,
        Parameter(negative=(), help="An item id; repeat it for more. Every user meets every item."),
    ] = None,
    unknown: Annotated[
        Literal["error", "fallback", "nan"],
        Parameter(help="For ids the model does not know: an error; the mean and what bias is known; or NaN."),
    ] = "error",
    clip: Annotated[
        bool, Parameter(show_default=shown, help="Keep predictions within the range of the training ratings.")
    ] = False,
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
    **options: Any,
) -> None:
    """Predict ratings: of a file of pairs, or of each --user with each --item.

    Where the file has ratings too, they are shown beside the predictions, and the error over all of them is
    said. Times in the file are used by a model with biases of days. A model of implicit data gives scores,
    which are no ratings: about 1 for what a user would take.
    """
    chosen = output.check(format, output_file)
    if (pairs is None) != bool(user and item) or (pairs is not None and (user or item)):
        raise UsageError("expected a file of pairs, or both --user and --item")
    fitted = model_of(model)
    names = titles_of(titles, fitted.item_ids)
    ratings = times = None
    if pairs is None:
        both = itertools.product(
            labels(user or (), fitted.user_ids, "user"), labels(item or (), fitted.item_ids, "item")
        )
        users, items = (np.array(side) for side in zip(*both, strict=True))
    else:
        user_kind, item_kind = fitted.user_ids.kind, fitted.item_ids.kind
        reading = given(FOR_A_MODEL, options)
        with_ratings = not is_implicit(fitted) and has_ratings(pairs, reading)
        asked = read(pairs, user_kind=user_kind, item_kind=item_kind, **reading)
        user_index, item_index, ratings, _, times = asked.entries()
        users, items = asked.user_ids.decode(user_index), asked.item_ids.decode(item_index)
        ratings = ratings if with_ratings else None  # without, the values are counts of rows
    times = times if fitted.day_biases is not None else None
    predictions = np.asarray(fitted.predict(users, items, times=times, unknown=unknown, clip=clip))
    columns = {"user_id": users, "item_id": items, "prediction": predictions}
    if ratings is not None:
        columns["rating"] = ratings
        known = ~np.isnan(predictions)
        if known.any():
            error = metrics.rmse(predictions[known], ratings[known])
            console.note(f"RMSE {error:.4f} over {console.counted(int(known.sum()), 'rating')}")
    output.write(
        output.with_titles(columns, names),
        format=chosen,
        output=output_file,
        title="predictions",
        most=MOST_SHOWN if pairs is not None else None,
    )


with_options(predict, {"Reading": FOR_A_MODEL})
