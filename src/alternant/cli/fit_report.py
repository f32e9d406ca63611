"""The report that ``alternant fit --report`` writes. Charts are imported only when one is asked for."""

from pathlib import Path

from alternant.cli import console
from alternant.errors import DataError
from alternant.model import FactorModel
from alternant.model.lists import Titles


def check(folder: Path) -> None:
    """Refuse a report that cannot be written, before the fit: no extra, or a file where the folder is to
    be."""
    import alternant.plots  # noqa: F401

    if folder.exists() and not folder.is_dir():
        raise DataError(f"expected a folder to write a report into, got the file {str(folder)!r}")


def write(folder: Path, model: FactorModel, source: str, titles: Titles | None) -> None:
    """Write the report of a fit into a folder, which is made."""
    from alternant.plots import fit_sections, write_report

    kind = model.settings.get("estimator", "A model")
    written = write_report(folder, f"{kind} on {Path(source).name}", fit_sections(model, titles=titles))
    console.note(f"wrote {written[0]} and {console.counted(len(written) - 1, 'file')} beside it")
