"""``alternant update``: a new model file from a model and what came later."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from alternant.attributes import AttributeEncoding
from alternant.cli import console, output
from alternant.cli.attributes import AttributeChoices, ItemAttributesOption, UserAttributesOption
from alternant.cli.loading import FOR_A_MODEL, MODEL, ModelArgument, is_implicit, labels, model_of, ratings_of
from alternant.cli.options import UsageError, given, with_options
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.reading import read


def update(
    model: ModelArgument = MODEL,
    source: Annotated[
        str | None, Parameter(help="Later ratings: a file, a glob or an SQL query, as for fit.")
    ] = None,
    /,
    *,
    output_file: Annotated[
        Path | None,
        Parameter(name=["--output", "-o"], help="The model file to write; it may be the one that was read."),
    ] = None,
    remove_user: Annotated[
        list[str] | None,
        Parameter(negative=(), help="A user who goes, with all that is known of him; repeat it for more."),
    ] = None,
    remove_item: Annotated[
        list[str] | None, Parameter(negative=(), help="An item that goes; repeat it for more.")
    ] = None,
    mode: Annotated[
        Literal["delta", "full"],
        Parameter(
            help="The later ratings are added to what the model keeps (one of a known pair replaces it), or "
            "are all there is of each user among them."
        ),
    ] = "delta",
    refresh: Annotated[
        Literal["touched", "users"], Parameter(help="Solve new and changed users, or all users.")
    ] = "touched",
    user_attributes: UserAttributesOption = None,
    item_attributes: ItemAttributesOption = None,
    **options: Any,
) -> None:
    """Take later ratings, new users and new items into a model, or people and items out, without a new fit.

    New items are solved under the users, then new and changed users under the items. What was there before
    stays as it is until the next fit.
    """
    if output_file is None:
        raise UsageError("name the model file to write with --output")
    has_news = source or remove_user or remove_item or user_attributes or item_attributes
    if not has_news and refresh == "touched":
        raise UsageError("expected a file of later ratings, attributes, --remove-user or --remove-item")
    if output_file.suffix != ".safetensors":
        raise DataError(f"a model file ends in .safetensors, got {str(output_file)!r}")
    output.check_folder(output_file)
    fitted = model_of(model)
    later = None
    if source is not None:
        reading = given(FOR_A_MODEL, options)
        if not is_implicit(fitted):
            ratings_of(source, reading)
        later = read(source, user_kind=fitted.user_ids.kind, item_kind=fitted.item_ids.kind, **reading)
        console.note(str(later.summary()))
    new = fitted.updated(
        later,
        remove_users=None if not remove_user else labels(remove_user, fitted.user_ids, "user"),
        remove_items=None if not remove_item else labels(remove_item, fitted.item_ids, "item"),
        mode=mode,
        refresh=refresh,
        user_attributes=_attributes(user_attributes, fitted.user_prior.encoding, fitted.user_ids),
        item_attributes=_attributes(item_attributes, fitted.item_prior.encoding, fitted.item_ids),
    )
    new.save(output_file)
    console.note(
        f"wrote {output_file}: {console.counted(new.n_users, 'user')} (before: {fitted.n_users:,}), "
        f"{console.counted(new.n_items, 'item')} (before: {fitted.n_items:,})"
    )


def _attributes(path: Path | None, encoding: Any, ids: IdMap) -> Any:
    """Return a table of attributes, read as those that the model was fitted on; None without a file."""
    if not isinstance(encoding, AttributeEncoding):
        return AttributeChoices(path, None, None).read(ids)
    kinds = {column.name: column.kind for column in encoding.columns}
    return AttributeChoices(path, encoding.id_column, kinds).read(ids)


with_options(update, {"Reading": FOR_A_MODEL})
