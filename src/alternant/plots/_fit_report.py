"""What a report of a fit says: the data, the settings, what was minimised, how it went, and what came out."""

from typing import Any

import numpy as np

from alternant._words import counted
from alternant.model import FactorModel
from alternant.model.lists import Titles, title_column
from alternant.plots._item_map import item_map
from alternant.plots._matrix import MOST_ITEMS, MOST_USERS, filled_matrix
from alternant.plots._page import Section
from alternant.plots._spectrum import spectrum
from alternant.plots._sweeps import sweeps

_MOST_RATED = 10


def fit_sections(model: FactorModel, *, titles: Titles | None = None) -> tuple[Section, ...]:
    """Return the sections of a report of a fit, for :func:`page` and :func:`write_report`.

    The charts are those that the model can have: none of the factors of a sampled model, the filled-in matrix
    of a small one only.

    Parameters
    ----------
    model : FactorModel
    titles : mapping of item ids to titles, optional

    Examples
    --------
    >>> from alternant import ExplicitALS, plots
    >>> from alternant.synthetic import example
    >>> model = ExplicitALS(n_factors=2, regularization=0.1).fit(example())
    >>> [section.title for section in plots.fit_sections(model)]
    ['Data', 'Settings', 'What was minimised', 'How the fit went', 'What the factors hold', 'Predictions']
    """
    description = model.describe()
    sections = [
        Section("Data", facts=_data(model), table=_most_rated(model, titles)),
        Section("Settings", facts={name: _setting(value) for name, value in model.settings.items()}),
        Section(
            "What was minimised",
            code=description.formula,
            text="\n\n".join(f"Warning: {warning}." for warning in description.warnings),
        ),
    ]
    if model.trace:
        sections.append(Section("How the fit went", facts=_how(model), charts=[sweeps(model)]))
    charts: list[Any] = []
    if model.draws is None and np.any(model.omega > 0):
        charts.append(spectrum(model))
        if model.n_factors >= 2:
            charts.append(item_map(model, titles=titles))
    if charts:
        sections.append(Section("What the factors hold", charts=charts))
    if model.history is not None and 0 < model.n_users <= MOST_USERS and 0 < model.n_items <= MOST_ITEMS:
        sections.append(Section("Predictions", charts=[filled_matrix(model, titles=titles)]))
    return tuple(sections)


def _data(model: FactorModel) -> dict[str, object]:
    n_entries = int(model.user_counts.sum())
    facts: dict[str, object] = {
        "users": model.n_users,
        "items": model.n_items,
        "entries": n_entries,
        "share of all pairs": f"{100 * n_entries / max(1, model.n_users * model.n_items):.3g} %",
    }
    for name, counts in (("user", model.user_counts), ("item", model.item_counts)):
        if len(counts):
            facts[f"entries of a {name}" if name == "user" else "entries of an item"] = (
                f"{int(counts.min()):,} to {int(counts.max()):,}, median {np.median(counts):,.4g}"
            )
    if model.value_range is not None:
        facts["values"] = f"{model.value_range[0]:g} to {model.value_range[1]:g}"
    if model.mean:
        facts["mean"] = float(model.mean)
    return facts


def _most_rated(model: FactorModel, titles: Titles | None) -> dict[str, list[object]]:
    order = np.argsort(-model.item_counts, kind="stable")[:_MOST_RATED]
    labels = model.item_ids.decode(order)
    # Ids are names here, not numbers: 1,210 is no id.
    table: dict[str, list[object]] = {
        "items with the most entries": [str(label) for label in labels.tolist()]
    }
    if titles is not None:
        table["title"] = title_column(labels, titles).tolist()
    table["entries"] = model.item_counts[order].tolist()
    return table


def _how(model: FactorModel) -> dict[str, object]:
    last = model.trace[-1]
    n_sweeps = sum(entry.side == "items" for entry in model.trace)
    facts: dict[str, object] = {
        "stopped": model.stopped,
        "time": f"{last.seconds:,.3g} seconds, {counted(n_sweeps, 'sweep')}",
        "objective" if model.draws is None else "squared errors of the last draw": f"{last.objective:,.6g}",
    }
    if model.draws is None:
        facts["of it, penalties"] = f"{last.regularization:,.6g}"
        if last.unobserved:
            facts["of it, all pairs"] = f"{last.unobserved:,.6g}"
    return facts


def _setting(value: object) -> str:
    return (
        "none" if value in (None, "", ()) else str(value).lower() if isinstance(value, bool) else str(value)
    )
