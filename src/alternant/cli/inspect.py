"""``alternant inspect``: what a model file holds."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from rich.table import Table

from alternant.cli import console
from alternant.cli.loading import MODEL, ModelArgument, TitlesOption, model_of, titles_of
from alternant.model import FactorModel
from alternant.model.lists import Titles


def inspect(
    model: ModelArgument = MODEL,
    /,
    *,
    titles: TitlesOption = None,
    format: Annotated[
        Literal["table", "json"], Parameter(alias="-f", help="A table to read, or JSON.")
    ] = "table",
) -> None:
    """Show what a model was fitted on, with which settings, and how the fit went."""
    fitted = model_of(model)
    names = titles_of(titles, fitted.item_ids)
    facts = examine(fitted, model, names)
    if format == "json":
        sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, fact in facts.items():
        table.add_row(name.replace("_", " "), _text(name, fact))
    console.out().print(table)


def examine(model: FactorModel, path: Path, titles: Titles | None = None) -> dict[str, Any]:
    """Return the facts that ``inspect`` shows, JSON-able."""
    last = model.trace[-1] if model.trace else None
    most_rated = np.argsort(-model.item_counts, kind="stable")[:5]
    known: Mapping[Any, str] = titles or {}
    best = [
        {"item_id": label} | ({"title": known[label]} if label in known else {})
        for label in model.item_ids.decode(most_rated).tolist()
    ]
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "users": model.n_users,
        "items": model.n_items,
        "ratings": int(model.item_counts.sum()),
        "ids": {"users": model.user_ids.kind, "items": model.item_ids.kind},
        "factors": model.n_factors,
        "mean": float(model.mean),
        "value_range": None if model.value_range is None else [float(end) for end in model.value_range],
        "sweeps": sum(entry.side == "items" for entry in model.trace),
        "objective": last.objective if last else None,
        "seconds": last.seconds if last else None,
        "stopped": model.stopped,
        "most_rated": best,
        "settings": dict(model.settings),
    }


def _text(name: str, fact: Any) -> str:
    if name == "most_rated":
        return "\n".join(" ".join(map(str, one.values())) for one in fact)
    if name == "ids":
        return ", ".join(f"{side} {kind}" for side, kind in fact.items())
    if isinstance(fact, dict):
        return "\n".join(f"{key} = {value!r}" for key, value in fact.items())
    if isinstance(fact, list):
        return " to ".join(f"{number:g}" for number in fact)
    if isinstance(fact, float):
        return f"{fact:,.6g}"
    return f"{fact:,}" if isinstance(fact, int) else console.printable(str(fact))
