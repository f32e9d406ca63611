"""One look for all charts, on a light and on a dark background.

Charts name styles ("known", "quiet", …) and leave colours to the configuration, so that :func:`themed`
changes the look by changing that alone. Altair's global themes are left as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import altair as alt
import numpy as np

from alternant.errors import DataError

Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.HConcatChart | alt.VConcatChart | alt.ConcatChart
Theme = Literal["light", "dark"]

# vl-convert brings Liberation Sans, whose letters are as wide as Arial's and Helvetica's: what it measures is
# true elsewhere.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

# Okabe and Ito's colours, which people with any of the common colour blindnesses tell apart; in the dark the
# brighter ones.
_CATEGORIES = {
    "light": ["#0072b2", "#d55e00", "#007a5a", "#a8417f", "#7a6000", "#333333"],
    "dark": ["#56b4e9", "#e69f00", "#1fc795", "#e59ac4", "#f0e442", "#cccccc"],
}
_COLOURS = {
    "light": {
        "background": "#ffffff",
        "text": "#1f2328",
        "muted": "#59636e",
        "grid": "#dfe3e8",
        "quiet": "#9aa4af",
    },
    "dark": {
        "background": "#0d1117",
        "text": "#e6edf3",
        "muted": "#9da7b1",
        "grid": "#2a313a",
        "quiet": "#5c6773",
    },
}


def titled(chart: Any, title: str, *subtitle: str) -> Chart:
    """Return the chart with a title that says what is seen, lines below it, and the light theme."""
    lines = [line for line in subtitle if line]
    text = alt.TitleParams(title, subtitle=lines) if lines else alt.TitleParams(title)
    return themed(chart.properties(title=text), "light")


def themed(chart: Any, theme: Theme) -> Chart:
    """Return a chart in another theme: "light", which all charts have when they are made, or "dark".

    Both hold the same data and marks, in colours that can be read on a white and on a near-black background.

    Raises
    ------
    DataError
        `theme` is neither.

    Examples
    --------
    >>> from alternant import ExplicitALS, plots
    >>> from alternant.synthetic import example
    >>> dark = plots.themed(plots.sweeps(ExplicitALS(n_factors=2).fit(example())), "dark")
    >>> dark.to_dict()["config"]["background"]
    '#0d1117'
    """
    changed: Chart = chart.copy(deep=False)
    changed.config = alt.Config.from_dict(_config(theme))
    return changed


def colours(theme: Theme) -> Mapping[str, str]:
    """Return the colours of a theme: background, text, muted, grid, quiet, and accent, the first
    category's."""
    if theme not in _COLOURS:
        raise DataError(f'theme must be "light" or "dark", got {theme!r}')
    return {**_COLOURS[theme], "accent": _CATEGORIES[theme][0]}


def inline(**columns: Any) -> alt.InlineData:
    """Return columns of equal length as rows that a chart holds; what is not finite becomes null."""
    plain = [_plain(column) for column in columns.values()]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]
    return alt.InlineData(values=rows)


def _plain(column: Any) -> Sequence[Any]:
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "f":
            # Seven digits are all that a float32 has; more would only make files longer.
            return [float(f"{value:.7g}") if np.isfinite(value) else None for value in column.tolist()]
        return list(column.tolist())
    return list(column)


def _config(theme: Theme) -> dict[str, Any]:
    c = colours(theme)
    first, second = _CATEGORIES[theme][:2]
    text = {"labelColor": c["text"], "titleColor": c["text"], "labelFontSize": 11, "titleFontSize": 12}
    return {
        "font": FONT,
        "background": c["background"],
        "padding": 12,
        "title": {
            "anchor": "start",
            "color": c["text"],
            "fontSize": 16,
            "fontWeight": 600,
            "offset": 12,
            "subtitleColor": c["muted"],
            "subtitleFontSize": 12,
            "subtitlePadding": 5,
            "subtitleLineHeight": 16,
        },
        "view": {"stroke": None, "continuousWidth": 560, "continuousHeight": 320},
        "axis": text
        | {
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "gridColor": c["grid"],
            "domainColor": c["quiet"],
            "tickColor": c["quiet"],
            "labelLimit": 220,
        },
        "legend": text | {"titleFontWeight": "normal", "symbolStrokeWidth": 2, "labelLimit": 220},
        "header": text | {"titleFontWeight": "normal"},
        "range": {
            "category": _CATEGORIES[theme],
            "heatmap": {"scheme": "cividis"},
            # Of counts: few are near the background, many far from it.
            "ramp": {"scheme": "blues", "extent": [0.12, 1.0] if theme == "light" else [0.95, 0.1]},
            "ordinal": {"scheme": "viridis", "extent": [0.0, 0.8] if theme == "light" else [0.3, 1.0]},
        },
        "line": {"color": first, "strokeWidth": 2},
        "point": {"color": first, "filled": True, "size": 45, "opacity": 1},
        "bar": {"color": first},
        "rule": {"color": c["muted"]},
        "text": {"color": c["text"], "fontSize": 11},
        # Not called "cell": so Vega calls its views.
        "style": {
            "quiet": {"color": c["quiet"]},
            "reference": {"color": c["text"], "strokeDash": [5, 4], "strokeWidth": 1.5},
            "second": {"color": second},
            "muted": {"color": c["muted"]},
            "ring": {"color": c["text"], "strokeWidth": 2},
            "known": {
                "color": "#d55e00",
                "strokeWidth": 2.5,
            },  # on the colours of cells, not on the background,
            "still": {"color": c["grid"]},
        },
    }
