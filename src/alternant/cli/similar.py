"""``alternant similar``: the nearest items or users by the cosine of their factors."""

from typing import Annotated

import numpy as np
from cyclopts import Parameter

from alternant.cli import output
from alternant.cli.loading import (
    MODEL,
    KOption,
    MinEntriesOption,
    ModelArgument,
    TitlesOption,
    labels,
    model_of,
    titles_of,
)
from alternant.cli.options import UsageError
from alternant.cli.output import FormatOption, OutputOption


def similar(
    model: ModelArgument = MODEL,
    /,
    *,
    item: Annotated[list[str] | None, Parameter(negative=(), help="An item id; repeat it for more.")] = None,
    user: Annotated[list[str] | None, Parameter(negative=(), help="A user id; repeat it for more.")] = None,
    k: KOption = 10,
    min_entries: MinEntriesOption = 1,
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
) -> None:
    """Show the items most similar to an item, or the users most similar to a user."""
    chosen = output.check(format, output_file)
    if bool(user) == bool(item):
        raise UsageError("expected --item or --user, got " + ("both" if user else "neither"))
    fitted = model_of(model)
    names = titles_of(titles, fitted.item_ids)
    word = "item" if item else "user"
    asked = labels(item or user or [], fitted.item_ids if item else fitted.user_ids, word)
    ask = fitted.similar_items if item else fitted.similar_users
    result = ask(asked, k, min_entries=min_entries)
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
        title=f"most similar to {word} {output.named(asked, names if item else None)}",
        hidden=(f"{word}_id", "title") if len(result) == 1 else (),
    )
