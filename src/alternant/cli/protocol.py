"""``alternant protocol``: a published protocol on the files that it is published with."""

import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from alternant import protocols
from alternant.als import ImplicitALS
from alternant.cli import console, output
from alternant.cli.evaluate import ReportOption, check_folder, show
from alternant.cli.fit import IMPLICIT, estimator_of
from alternant.cli.options import UsageError, given, whole_from, with_options
from alternant.cli.output import FormatOption, OutputOption
from alternant.cli.progress import without_sweep_lines

_SETTINGS = tuple(option for option in IMPLICIT if option.name != "n_factors")
_FILES = {
    "lightgcn": ("train", "test"),
    "liang": ("train", "history", "test"),
    "he": ("train", "negatives"),
}


def protocol(
    name: Annotated[Literal["lightgcn", "liang", "he"], Parameter(help="Which protocol.")],
    /,
    *,
    train: Annotated[Path | None, Parameter(help="The training file.")] = None,
    test: Annotated[
        Path | None,
        Parameter(help="The test file; of liang the held-out users' targets (test_te.csv)."),
    ] = None,
    history: Annotated[
        Path | None, Parameter(help="Of liang: what the held-out users are folded in by (test_tr.csv).")
    ] = None,
    negatives: Annotated[
        Path | None,
        Parameter(help="Of he: the test pairs and the negatives of each (.test.negative)."),
    ] = None,
    n_factors: Annotated[
        int,
        Parameter(
            name=["--n-factors", "--factors"],
            converter=whole_from(1),
            help="Length of a user's or item's vector.",
        ),
    ] = ImplicitALS.n_factors,
    report: ReportOption = None,
    format: FormatOption = None,
    output_file: OutputOption = None,
    **options: Any,
) -> None:
    """Fit ImplicitALS and measure it by a published protocol, on files that you bring.

    lightgcn: text files of a user and the user's items on each line; recall@20 and ndcg@20 over the whole
    catalogue. liang: users held out and folded in; ndcg@100 and truncated recall@20 and @50. he: one item of
    each user among sampled negatives; hit rate and ndcg at 10.
    """
    chosen = output.check(format, output_file)
    check_folder(report)
    files = {"train": train, "test": test, "history": history, "negatives": negatives}
    missing = [f"--{each}" for each in _FILES[name] if files[each] is None]
    if missing:
        raise UsageError(f"{name} needs {' and '.join(missing)}")
    unused = [f"--{each}" for each, path in files.items() if path is not None and each not in _FILES[name]]
    if unused and not (name == "he" and unused == ["--test"]):
        raise UsageError(f"{name} has no use for {' and '.join(unused)}")
    settings = given(_SETTINGS, options) | {"n_factors": n_factors}
    estimator = estimator_of(settings, options, is_implicit=True)
    with without_sweep_lines(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        if name == "lightgcn":
            found = protocols.lightgcn(
                _path(train), _path(test), estimator=estimator, n_threads=estimator.n_threads
            )
        elif name == "liang":
            found = protocols.liang(
                _path(train), _path(history), _path(test), estimator=estimator, n_threads=estimator.n_threads
            )
        else:
            found = protocols.he(
                _path(train), _path(negatives), test=test, estimator=estimator, n_threads=estimator.n_threads
            )
    for warning in caught:
        console.note(f"warning: {warning.message}")
    show(found, chosen, output_file, report)


def _path(given: Path | None) -> Path:
    """Return a path that was checked to be there."""
    if given is None:
        raise UsageError("a file is missing")
    return given


with_options(protocol, {"Implicit model": _SETTINGS})
