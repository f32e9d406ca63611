"""``alternant predict``: ratings of given users and items."""

import itertools
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from alternant import metrics
from alternant.cli import console, output
from alternant.cli.loading import FOR_A_MODEL, MODEL, ModelArgument, TitlesOption, labels, model_of, titles_of
from alternant.cli.options import given, with_options
from alternant.cli.output import FormatOption, OutputOption
from alternant.errors import DataError
from alternant.reading import read


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
        bool, Parameter(help="Keep predictions within the range of the training ratings.")
    ] = False,
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
    **options: Any,
) -> None:
    """Predict ratings: of a file of pairs, or of each --user with each --item.

    Where the file has ratings too, they are shown beside the predictions, and the error over all of them is
    said.
    """
    chosen = output.check(format, output_file)
    if (pairs is None) == (not user or not item):
        raise DataError("expected a file of pairs, or both --user and --item")
    names = titles_of(titles)
    fitted = model_of(model)
    ratings = None
    if pairs is None:
        both = itertools.product(
            labels(user or (), fitted.user_ids, "user"), labels(item or (), fitted.item_ids, "item")
        )
        users, items = (np.array(side) for side in zip(*both, strict=True))
    else:
        user_kind, item_kind = fitted.user_ids.kind, fitted.item_ids.kind
        asked = read(pairs, user_kind=user_kind, item_kind=item_kind, **given(FOR_A_MODEL, options))
        user_index, item_index, ratings, _, _ = asked.entries()
        users, items = asked.user_ids.decode(user_index), asked.item_ids.decode(item_index)
        ratings = ratings if asked.has_values else None
    predictions = np.asarray(fitted.predict(users, items, unknown=unknown, clip=clip))
    columns = {"user_id": users, "item_id": items, "prediction": predictions}
    if ratings is not None:
        columns["rating"] = ratings
        known = ~np.isnan(predictions)
        if known.any():
            error = metrics.rmse(predictions[known], ratings[known])
            console.note(f"RMSE {error:.4f} over {known.sum():,} ratings")
    output.write(output.with_titles(columns, names), format=chosen, output=output_file, title="predictions")


with_options(predict, {"Reading": FOR_A_MODEL})
