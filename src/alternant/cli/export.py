"""``alternant export``: factors and ids as tables for other programs."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from alternant.cli import output
from alternant.cli.loading import MODEL, ModelArgument, TitlesOption, model_of, titles_of
from alternant.errors import DataError
from alternant.model import FactorModel


def export(
    model: ModelArgument = MODEL,
    /,
    *,
    output_folder: Annotated[
        Path,
        Parameter(name=["--output", "-o"], help="The folder to write into; made where it does not exist."),
    ] = Path("exported"),
    format: Annotated[
        Literal["parquet", "csv", "json"], Parameter(alias="-f", help="The format of both files.")
    ] = "parquet",
    titles: TitlesOption = None,
) -> None:
    """Write the factors of all users and items as two files, users and items.

    Columns: the id, the title where there is one, the number of ratings, the bias, and the factors f0, f1, …,
    the strongest direction first.
    """
    if output_folder.exists() and not output_folder.is_dir():
        raise DataError(f"expected a folder to write into, got the file {str(output_folder)!r}")
    fitted = model_of(model)
    names = titles_of(titles, fitted.item_ids)
    output_folder.mkdir(parents=True, exist_ok=True)
    for side in ("users", "items"):
        columns = output.with_titles(_columns(fitted, side), names)
        output.write(columns, format=format, output=output_folder / f"{side}.{format}")


def _columns(model: FactorModel, side: str) -> dict[str, NDArray[Any]]:
    users = side == "users"
    ids, factors = (model.user_ids, model.user_factors) if users else (model.item_ids, model.item_factors)
    biases, counts = (
        (model.user_biases, model.user_counts) if users else (model.item_biases, model.item_counts)
    )
    columns: dict[str, NDArray[Any]] = {"user_id" if users else "item_id": ids.labels, "n_ratings": counts}
    if biases is not None:
        columns["bias"] = np.ascontiguousarray(biases)
    return {**columns, **{f"f{j}": np.ascontiguousarray(factors[:, j]) for j in range(model.n_factors)}}
