"""``alternant recommend``: items for users, or users for items."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter
from numpy.typing import NDArray

from alternant.cli import output
from alternant.cli.loading import MODEL, KOption, ModelArgument, TitlesOption, labels, model_of, titles_of
from alternant.cli.output import FormatOption, OutputOption
from alternant.errors import DataError
from alternant.model import Recommendations


def recommend(
    model: ModelArgument = MODEL,
    /,
    *,
    user: Annotated[list[str] | None, Parameter(negative=(), help="A user id; repeat it for more.")] = None,
    item: Annotated[
        list[str] | None,
        Parameter(negative=(), help="An item id: recommend users for it instead; repeat it for more."),
    ] = None,
    k: KOption = 10,
    exclude_seen: Annotated[bool, Parameter(help="Leave out what the user has in the training data.")] = True,
    unknown: Annotated[
        Literal["error", "fallback"],
        Parameter(
            help="For a user that the model does not know: an error, or the most popular items, marked so."
        ),
    ] = "error",
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
) -> None:
    """Recommend items to users: the highest scores first."""
    chosen = output.check(format, output_file)
    if bool(user) == bool(item):
        raise DataError("expected --user or --item, got " + ("both" if user else "neither"))
    names = titles_of(titles)
    fitted = model_of(model)
    if user:
        asked = labels(user, fitted.user_ids, "user")
        result = fitted.recommend(asked, k, exclude_seen=exclude_seen, unknown=unknown)
        heading = f"recommended to user {', '.join(user)}"
    else:
        texts = item or []
        result = fitted.recommend_users(
            labels(texts, fitted.item_ids, "item"), k, exclude_seen=exclude_seen, unknown=unknown
        )
        heading = f"users recommended for item {output.named(texts, names)}"
    said_by_heading = ("user_id",) if user else ("item_id", "title")
    output.write(
        output.with_titles(recommendation_columns(result), names),
        format=chosen,
        output=output_file,
        title=heading,
        hidden=said_by_heading if len(result) == 1 else (),
    )


def recommendation_columns(result: Recommendations) -> dict[str, NDArray[Any]]:
    """Return the columns of recommendations in the order in which every command shows them."""
    return {name: getattr(result, name) for name in ("user_id", "rank", "item_id", "score", "source")}
