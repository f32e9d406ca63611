"""``alternant similar``: the nearest items or users by the cosine of their factors."""

from typing import Annotated

import numpy as np
from cyclopts import Parameter

from alternant.cli import output
from alternant.cli.loading import MODEL, KOption, ModelArgument, TitlesOption, labels, titles_of
from alternant.cli.output import FormatOption, OutputOption
from alternant.errors import DataError
from alternant.model import load


def similar(
    model: ModelArgument = MODEL,
    /,
    *,
    item: Annotated[list[str] | None, Parameter(negative=(), help="An item id; repeat it for more.")] = None,
    user: Annotated[list[str] | None, Parameter(negative=(), help="A user id; repeat it for more.")] = None,
    k: KOption = 10,
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
) -> None:
    """Show the items most similar to an item, or the users most similar to a user."""
    chosen = output.check(format, output_file)
    if bool(user) == bool(item):
        raise DataError("expected --item or --user, got " + ("both" if user else "neither"))
    names = titles_of(titles)
    fitted = load(model)
    if item:
        result = fitted.similar_items(labels(item, fitted.item_ids), k)
    else:
        result = fitted.similar_users(labels(user or (), fitted.user_ids), k)
    word = "item" if item else "user"
    columns = {
        f"{word}_id": np.repeat(result.query_id, np.diff(result.offsets)),
        "rank": result.rank,
        f"similar_{word}_id": result.neighbour_id,
        "similarity": result.similarity,
    }
    heading = f"most similar to {word} {', '.join(item or user or ())}"
    output.write(output.with_titles(columns, names), format=chosen, output=output_file, title=heading)
