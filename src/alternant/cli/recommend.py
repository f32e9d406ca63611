"""``alternant recommend``: items for users, or users for items."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

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
from alternant.cli.options import UsageError, shown, whole
from alternant.cli.output import FormatOption, OutputOption
from alternant.model import FactorModel, FoldedIn, Recommendations
from alternant.model.choosing import choose
from alternant.model.lists import Titles
from alternant.model.pairs import predictions

USERS_AT_ONCE = 16384
FOOTNOTE = (
    "score: what the list is sorted by, p · q and the item's bias; prediction: with the mean and the user's "
    "bias, on the scale of the ratings"
)


def recommend(
    model: ModelArgument = MODEL,
    /,
    *,
    user: Annotated[list[str] | None, Parameter(negative=(), help="A user id; repeat it for more.")] = None,
    item: Annotated[
        list[str] | None,
        Parameter(negative=(), help="An item id: recommend users for it instead; repeat it for more."),
    ] = None,
    every: Annotated[
        bool,
        Parameter(
            name="--all",
            negative=(),
            show_default=False,
            help="Recommend to every user that has ratings; --output writes them batch by batch.",
        ),
    ] = False,
    k: KOption = 10,
    exclude_seen: Annotated[
        bool, Parameter(show_default=shown, help="Leave out what the user has in the training data.")
    ] = True,
    exclude: Annotated[
        list[str] | None,
        Parameter(negative=(), help="An id that is not to be recommended; repeat it for more."),
    ] = None,
    candidates: Annotated[
        list[str] | None,
        Parameter(
            name="--candidates",
            negative=(),
            help="An id to choose from, nothing else being recommended; repeat it for more.",
        ),
    ] = None,
    min_entries: MinEntriesOption = 1,
    unknown: Annotated[
        Literal["error", "fallback"],
        Parameter(
            help="For a user that the model does not know: an error, or the most popular items, marked so."
        ),
    ] = "error",
    diversity: Annotated[
        float,
        Parameter(
            help="From 0 to 1: how much the items of a list are to differ from each other; for --user and "
            "--all."
        ),
    ] = 0.0,
    explore: Annotated[
        Literal["ucb", "thompson"] | None,
        Parameter(
            help="Rank by the score plus its uncertainty (ucb), or by a random draw from what is held "
            "possible (thompson); for --user and --all."
        ),
    ] = None,
    explore_weight: Annotated[
        float, Parameter(help="How many uncertainties --explore adds, or how wide it draws.")
    ] = 1.0,
    seed: Annotated[
        int, Parameter(converter=whole, help="Of the draws of thompson; another seed is another draw.")
    ] = 0,
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
) -> None:
    """Recommend items to users: the highest scores first.

    The score is what a list is sorted by; the prediction is on the scale of the ratings.
    """
    chosen = output.check(format, output_file)
    asked = [name for name, given in (("--user", user), ("--item", item), ("--all", every)) if given]
    if len(asked) != 1:
        raise UsageError(f"expected one of --user, --item and --all, got {' and '.join(asked) or 'none'}")
    if every and chosen == "table":
        raise UsageError("all users are no table to read: name a file with --output, or --format csv")
    for name, is_asked in (("--explore", explore is not None), ("--diversity", diversity != 0.0)):
        if item and is_asked:
            raise UsageError(f"{name} is for lists of items (--user, --all), not of users for --item")
    fitted = model_of(model)
    names = titles_of(titles, fitted.item_ids)
    ids, word = (fitted.user_ids, "user") if item else (fitted.item_ids, "item")
    limits: dict[str, Any] = {
        "exclude_seen": exclude_seen,
        "exclude": None if exclude is None else labels(exclude, ids, word),
        "candidates": None if candidates is None else labels(candidates, ids, word),
        "min_entries": min_entries,
        "unknown": unknown,
    }
    if not item:
        limits |= {
            "diversity": diversity,
            "explore": explore,
            "explore_weight": explore_weight,
            "seed": seed,
        }
    if every:
        output.write_batches(_for_all(fitted, k, limits, names), format=chosen, output=output_file)
        return
    if user:
        result = fitted.recommend(labels(user, fitted.user_ids, "user"), k, **limits)
        heading = f"recommended to user {', '.join(user)}"
    else:
        asked_items = labels(item or [], fitted.item_ids, "item")
        result = fitted.recommend_users(asked_items, k, **limits)
        heading = f"users recommended for item {output.named(asked_items, names)}"
    said_by_heading = ("user_id",) if user else ("item_id", "title")
    is_limited = exclude or candidates or min_entries > 1 or not exclude_seen
    output.write(
        output.with_titles(recommendation_columns(result, fitted), names),
        format=chosen,
        output=output_file,
        title=heading,
        hidden=said_by_heading if len(result) == 1 else (),
        nothing="nothing is left to recommend" if is_limited else _nothing(result),
        footnote=FOOTNOTE if explore is None else f"explored by {explore}; prediction: without exploration",
    )


def recommendation_columns(
    result: Recommendations,
    model: FactorModel,
    folded: FoldedIn | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the columns of recommendations in the order in which every command shows them.

    The prediction is that of ``model.predict`` (with `folded`, for these users); NaN beside a fallback.
    """
    prediction = np.full(len(result.score), np.nan, np.float32)
    by_model = result.source == "model"
    users = result.user_id[by_model]
    chosen = choose(model, "users", users if folded is None else folded)
    index = chosen.index if folded is None else folded.ids.encode(users, what="user")
    items = model.item_ids.encode(result.item_id[by_model], what="item")
    prediction[by_model] = predictions(model, chosen, index, items, n_threads=None)
    columns = {name: getattr(result, name) for name in ("user_id", "rank", "item_id", "score")}
    return {**columns, "prediction": prediction, "source": result.source}


def _for_all(
    model: FactorModel, k: int, limits: dict[str, Any], titles: Titles | None
) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the columns of all users that have entries, some thousand users at a time."""
    for batch in model.recommend_batches(k=k, batch_size=USERS_AT_ONCE, **limits):
        yield output.with_titles(recommendation_columns(batch, model), titles)


def _nothing(result: Recommendations) -> str:
    labels: Sequence[int | str] = result.query_id.tolist()
    shown_ids = ", ".join(map(str, labels[:3])) + (" …" if len(labels) > 3 else "")
    if result.queries == "users":
        return f"nothing to recommend: {shown_ids} has rated all items"
    return f"nothing to recommend: all users have rated {shown_ids}"
