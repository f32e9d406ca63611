"""``alternant fold-in``: recommendations for people who were not there when the model was fitted."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from alternant.cli import console, output
from alternant.cli.loading import (
    FOR_A_MODEL,
    KOption,
    MinEntriesOption,
    ModelArgument,
    TitlesOption,
    is_implicit,
    model_of,
    ratings_of,
    titles_of,
)
from alternant.cli.options import given, shown, with_options
from alternant.cli.output import FormatOption, OutputOption
from alternant.cli.recommend import FOOTNOTE, recommendation_columns
from alternant.reading import read


def fold_in(
    model: ModelArgument,
    histories: Annotated[
        str, Parameter(help="What the new users rated: a file, a glob or an SQL query, as for fit.")
    ],
    /,
    *,
    k: KOption = 10,
    exclude_seen: Annotated[
        bool, Parameter(show_default=shown, help="Leave out what is in the histories.")
    ] = True,
    min_entries: MinEntriesOption = 1,
    unknown: Annotated[
        Literal["error", "drop"],
        Parameter(help="For items in the histories that the model does not know: an error, or left out."),
    ] = "error",
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
    **options: Any,
) -> None:
    """Recommend items to new users from their histories, without fitting again.

    Each new user's factors are solved under the items of the model, exactly as in the last step of fit. Who
    has rated no item of the model gets the most popular items, marked so, with --unknown drop.
    """
    chosen = output.check(format, output_file)
    fitted = model_of(model)
    names = titles_of(titles, fitted.item_ids)
    reading = given(FOR_A_MODEL, options)
    if not is_implicit(fitted):
        ratings_of(histories, reading)
    new = read(histories, item_kind=fitted.item_ids.kind, **reading)
    folded = fitted.fold_in(new, unknown=unknown)
    console.note(f"folded in {console.counted(len(folded.ids), 'user')}")
    result = fitted.recommend(
        folded,
        k,
        exclude_seen=exclude_seen,
        min_entries=min_entries,
        unknown="error" if unknown == "error" else "fallback",
    )
    columns = output.with_titles(recommendation_columns(result, fitted, folded), names)
    output.write(
        columns, format=chosen, output=output_file, title="recommended to new users", footnote=FOOTNOTE
    )


with_options(fold_in, {"Reading": FOR_A_MODEL})
