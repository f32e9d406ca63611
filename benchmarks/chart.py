"""A chart of what was measured. Altair draws it, vl-convert writes .svg and .png; without them there is
none."""

from pathlib import Path
from typing import Any


def write(file: Path, results: list[dict[str, Any]]) -> str:
    """Write the chart that fits the results; returns what to tell."""
    try:
        import altair as alt
    except ImportError:
        return f"no chart: pip install altair vl-convert-python, to write {file}"
    drawn = [row for row in results if row.get("seconds") is not None]
    chart = _curves(alt, drawn) if any("metric" in row for row in drawn) else _bars(alt, drawn)
    try:
        chart.save(str(file))
    except (ImportError, ValueError) as error:
        return f"no chart: {error}"
    return f"chart: {file}"


def _bars(alt: Any, results: list[dict[str, Any]]) -> Any:
    keep = ("engine", "size", "n_factors", "factors_kind", "seconds")
    values = [{key: row.get(key) for key in keep} for row in results]
    for row in values:
        row["facet"] = ", ".join(
            str(each) for each in (row["size"], f"k = {row['n_factors']}", row["factors_kind"]) if each
        )
    order = list(dict.fromkeys(row["engine"] for row in values))
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("engine:N", sort=order, title=None),
        x=alt.X("seconds:Q", title="seconds, log scale", scale=alt.Scale(type="log")),
    )
    # On a log scale a bar has no beginning: a point says the same without one.
    marks = base.mark_point(filled=True, size=70) + base.mark_text(align="left", dx=8).encode(
        text=alt.Text("seconds:Q", format=".3~g")
    )
    return (
        marks.properties(width=420).facet(row=alt.Row("facet:N", title=None)).resolve_scale(x="independent")
    )


def _curves(alt: Any, results: list[dict[str, Any]]) -> Any:
    values = [
        {key: row[key] for key in ("engine", "seconds", "metric", "metric_name", "n_sweeps")}
        for row in results
    ]
    title = values[0]["metric_name"]
    return (
        alt.Chart(alt.Data(values=values))
        .mark_line(point=True)
        .encode(
            x=alt.X("seconds:Q", title="seconds of the whole fit, log scale", scale=alt.Scale(type="log")),
            y=alt.Y("metric:Q", title=title, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "engine:N", title=None, sort=list(dict.fromkeys(row["engine"] for row in values))
            ),
            order="n_sweeps:Q",
        )
        .properties(width=520, height=340)
    )
