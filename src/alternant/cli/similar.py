"""``alternant similar``: the nearest items or users by the cosine of their factors."""

from typing import Annotated

import numpy as np
from cyclopts import Parameter

from alternant.cli import output
from alternant.cli.loading import MODEL, KOption, ModelArgument, TitlesOption, labels, model_of, titles_of
from alternant.cli.output import FormatOption, OutputOption
from alternant.errors import DataError


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
    fitted = model_of(model)
    word, texts = ("item", item) if item else ("user", user or [])
    if item:
        result = fitted.similar_items(labels(texts, fitted.item_ids, word), k)
    else:
        result = fitted.similar_users(labels(texts, fitted.user_ids, word), k)
    columns = {
        f"{word}_id": np.repeat(result.query_id, np.diff(result.offsets)),
        "rank": result.rank,
        f"similar_{word}_id": result.neighbour_id,
        "similarity": result.similarity,
    }
    output.write(
        output.with_titles(columns, names),
        format=chosen,
        output=output_file,
        title=f"most similar to {word} {output.named(texts, names if item else None)}",
        hidden=(f"{word}_id", "title") if len(result) == 1 else (),
    )
