"""``alternant fold-in``: recommendations for people who were not there when the model was fitted."""

from typing import Annotated, Any

from cyclopts import Parameter

from alternant.cli import console, output
from alternant.cli.loading import FOR_A_MODEL, KOption, ModelArgument, TitlesOption, model_of, titles_of
from alternant.cli.options import given, with_options
from alternant.cli.output import FormatOption, OutputOption
from alternant.cli.recommend import recommendation_columns
from alternant.reading import read


def fold_in(
    model: ModelArgument,
    histories: Annotated[
        str, Parameter(help="What the new users rated: a file, a glob or an SQL query, as for fit.")
    ],
    /,
    *,
    k: KOption = 10,
    exclude_seen: Annotated[bool, Parameter(help="Leave out what is in the histories.")] = True,
    titles: TitlesOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
    **options: Any,
) -> None:
    """Recommend items to new users from their histories, without fitting again.

    Each new user's factors are solved under the items of the model, exactly as in the last step of fit.
    """
    chosen = output.check(format, output_file)
    names = titles_of(titles)
    fitted = model_of(model)
    new = read(histories, item_kind=fitted.item_ids.kind, **given(FOR_A_MODEL, options))
    folded = fitted.fold_in(new)
    console.note(f"folded in {len(folded.ids):,} users")
    result = fitted.recommend(folded, k, exclude_seen=exclude_seen)
    columns = output.with_titles(recommendation_columns(result), names)
    output.write(columns, format=chosen, output=output_file, title="recommended to new users")


with_options(fold_in, {"Reading": FOR_A_MODEL})
