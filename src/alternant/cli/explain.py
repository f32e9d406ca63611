"""``alternant explain``: what a score is made of."""

import itertools
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from alternant.cli import console, output
from alternant.cli.loading import MODEL, ModelArgument, TitlesOption, labels, model_of, titles_of
from alternant.cli.options import UsageError, whole_from
from alternant.cli.output import FormatOption, OutputOption
from alternant.model import Explanation
from alternant.model.lists import Titles

_WEAKER = "weaker terms"


def explain(
    model: ModelArgument = MODEL,
    /,
    *,
    user: Annotated[list[str] | None, Parameter(negative=(), help="A user id; repeat it for more.")] = None,
    item: Annotated[
        list[str] | None,
        Parameter(negative=(), help="An item id; repeat it for more. Every user meets every item."),
    ] = None,
    k: Annotated[
        int,
        Parameter(
            name=["--k", "-k"],
            converter=whole_from(1),
            help="How many terms of each score; what is left is one more row, their sum.",
        ),
    ] = 10,
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
) -> None:
    """Explain scores: what each item that the user rated adds, and attributes and biases, the most first.

    The contributions of a user and an item sum to the score, what recommendations are sorted by.
    """
    chosen = output.check(format, output_file)
    if not (user and item):
        raise UsageError("expected both --user and --item")
    fitted = model_of(model)
    names = titles_of(titles, fitted.item_ids)
    both = itertools.product(labels(user, fitted.user_ids, "user"), labels(item, fitted.item_ids, "item"))
    users, items = (np.array(side) for side in zip(*both, strict=True))
    found = fitted.explain(users, items)
    heading = "why these scores"
    if len(found) == 1:
        heading = f"user {user[0]}, item {output.named(items.tolist(), names)}: score {found.score[0]:.4f}"
    output.write(
        _columns(found, k, names),
        format=chosen,
        output=output_file,
        title=heading,
        hidden=("user_id", "item_id", "title") if len(found) == 1 else (),
        footnote="contributions of a user and an item sum to the score",
    )


def _columns(found: Explanation, k: int, titles: Titles | None) -> dict[str, NDArray[Any]]:
    """Return the k strongest terms of each pair, and the sum of its others in one row."""
    known: Mapping[Any, str] = titles or {}
    rows: list[tuple[Any, ...]] = []
    for one in found:
        pair = one.user_id.tolist()[0], one.item_id.tolist()[0]
        order = np.argsort(-np.abs(one.contribution), kind="stable")
        for term in order[:k].tolist():
            kind, label = one.kind[term], one.label[term]
            title = known.get(label, "") if kind == "history" else ""
            rows.append((*pair, kind, str(label), title, one.contribution[term]))
        weaker = order[k:]
        if len(weaker):
            rest = console.counted(len(weaker), "term")
            rows.append((*pair, _WEAKER, rest, "", one.contribution[weaker].sum()))
    columns = dict(zip(("user_id", "item_id", "kind", "label", "label_title", "contribution"),
                       zip(*rows, strict=True), strict=True))  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {
        name: np.array(values, dtype=object if isinstance(values[0], str) else None)
        for name, values in columns.items()
        if titles is not None or name != "label_title"
    }
    return output.with_titles(arrays, titles)
