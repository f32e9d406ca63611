"""Charts as functions: each returns an Altair chart, for a notebook, a file, a report or a web page.

The only package that imports Altair and vl-convert. Charts hold numbers that are already summed or binned,
never more than a few thousand rows; none of them opens the network. Importing this package without the extra
raises the error that holds the install line.
"""

from alternant._optional import require

for _module in ("altair", "vl_convert"):
    require(_module, extra="plots", purpose="drawing charts")

from alternant.plots._fit_report import fit_sections  # noqa: E402
from alternant.plots._item_map import item_map  # noqa: E402
from alternant.plots._matrix import filled_matrix  # noqa: E402
from alternant.plots._page import Section, page, write_report  # noqa: E402
from alternant.plots._popularity import popularity_recall  # noqa: E402
from alternant.plots._predicted import predicted_actual  # noqa: E402
from alternant.plots._saving import FORMATS, save  # noqa: E402
from alternant.plots._spectrum import spectrum  # noqa: E402
from alternant.plots._steps import als_steps  # noqa: E402
from alternant.plots._sweeps import sweeps  # noqa: E402
from alternant.plots._theme import Chart, themed  # noqa: E402
from alternant.plots._trials import trials  # noqa: E402

__all__ = [
    "FORMATS",
    "Chart",
    "Section",
    "als_steps",
    "filled_matrix",
    "fit_sections",
    "item_map",
    "page",
    "popularity_recall",
    "predicted_actual",
    "save",
    "spectrum",
    "sweeps",
    "themed",
    "trials",
    "write_report",
]
