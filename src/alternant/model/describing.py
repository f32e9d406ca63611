"""A model in a few lines of text."""

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

_WIDTH = 80


def describe(model: "Snapshot") -> str:
    """Return sizes, settings, objective and why the fit stopped, one line each."""
    biases = ", biases" if model.problem.has_biases else ""
    lines = [
        f"FactorModel: {model.n_users:,} users × {model.n_items:,} items, {model.n_factors} factors{biases}"
    ]
    settings = dict(model.settings)
    estimator = settings.pop("estimator", None)
    if estimator is not None:
        shown = ", ".join(f"{name}={value!r}" for name, value in settings.items() if value is not None)
        lines.append(_line("fitted by", f"{estimator}({shown})"))
    lines.append(_line("trained on", _data(model)))
    if model.trace:
        last = model.trace[-1]
        n_sweeps = max((entry.sweep for entry in model.trace if entry.side == "items"), default=0)
        sweeps = f"{n_sweeps} sweep{'' if n_sweeps == 1 else 's'}"
        lines.append(_line("objective", f"{last.objective:,.6g} after {sweeps}, {last.seconds:.2f} s"))
    if model.stopped:
        lines.append(_line("stopped", model.stopped))
    return "\n".join(lines)


def _data(model: "Snapshot") -> str:
    text = f"{int(model.user_counts.sum()):,} entries"
    if model.value_range is not None:
        text += f", values {model.value_range[0]:g} to {model.value_range[1]:g}"
    if model.mean:
        text += f", mean {model.mean:.4g}"
    return text + ("" if model.history is not None else " (not kept in the model)")


def _line(name: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=f"  {name:<11} ", subsequent_indent=" " * 14)
