"""A chart as a file: SVG, PNG or HTML, whole or not at all."""

import os
from pathlib import Path
from typing import Any

import vl_convert as vlc
from altair import SCHEMA_VERSION

from alternant._whole_file import whole_file
from alternant.errors import DataError
from alternant.plots._theme import Theme, themed

_VEGA_LITE = ".".join(SCHEMA_VERSION.removeprefix("v").split(".")[:2])
FORMATS = (".svg", ".png", ".html")


def save(chart: Any, path: str | os.PathLike[str], *, theme: Theme | None = None, scale: float = 2.0) -> None:
    """Write a chart to a file; the suffix of `path` decides how.

    ``.svg`` is a drawing that can be scaled, ``.png`` a picture, ``.html`` a page on which the pointer shows
    the numbers, which holds all that it needs (about 1 MB of scripts). Nothing is fetched. The file is
    written beside and renamed.

    Parameters
    ----------
    chart : Altair chart
        Of this package, or any other.
    path : str or path
    theme : {"light", "dark"} or None
        None: as the chart is.
    scale : float
        Of a PNG: pixels for each unit of the drawing.

    Raises
    ------
    DataError
        The suffix is none of the three, or `scale` is not positive.
    OSError
        The file cannot be written; an old one is as it was.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from alternant import ExplicitALS, plots
    >>> from alternant.synthetic import example
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "sweeps.svg"
    >>> plots.save(plots.sweeps(ExplicitALS(n_factors=2).fit(example())), path)
    >>> path.read_text()[:4]
    '<svg'
    """
    suffix = check_suffix(path)
    if not scale > 0:
        raise DataError(f"scale must be positive, got {scale!r}")
    content = rendered(chart if theme is None else themed(chart, theme), suffix, scale=scale)
    with whole_file(path) as new:
        new.write_bytes(content)


def check_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix of a picture's path in lower case, or refuse it."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise DataError(f"a picture ends in .svg, .png or .html, got {os.fspath(path)!r}")
    return suffix


def rendered(chart: Any, suffix: str, *, scale: float = 2.0) -> bytes:
    """Return a chart as the bytes of a file."""
    spec = chart.to_dict()
    if suffix == ".png":
        return bytes(vlc.vegalite_to_png(spec, vl_version=_VEGA_LITE, scale=scale, allowed_base_urls=[]))
    if suffix == ".svg":
        return str(vlc.vegalite_to_svg(spec, vl_version=_VEGA_LITE, allowed_base_urls=[])).encode()
    return str(vlc.vegalite_to_html(spec, vl_version=_VEGA_LITE, bundle=True)).encode()
