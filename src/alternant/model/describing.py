"""A model in words: a few lines for ``print``, and what it minimised and how far it got."""

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alternant._words import counted
from alternant.model.formula import formula
from alternant.model.gradient import GradientNorms, relative_gradient
from alternant.objective import weak_positives_warning

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot, TraceEntry

_WIDTH = 80

# Settings of sampled models, and those that these have no use for.
SAMPLING = ("n_samples", "burn_in", "n_kept")
NOT_SAMPLING = (
    "regularization",
    "regularization_exponent",
    "link_regularization",
    "attribute_regularization",
    "n_sweeps",
    "tol",
    "patience",
    "init",
    "init_scale",
    "solver",
)

# What is off at 0 is not shown.
_OFF_AT_ZERO = (
    "nonnegative",
    "l1_regularization",
    "user_discount",
    "item_discount",
    "unobserved_user_exponent",
    "unobserved_item_exponent",
)


@dataclass(frozen=True)
class Description:
    """What a model minimised, and how far it got; ``str`` gives all of it as text.

    Attributes
    ----------
    summary : what ``repr`` of the model says
    formula : the objective with this model's numbers
    sweeps : TraceEntry after each sweep, and after the last pass over the users
        `objective` = `observed` + `unobserved` + `regularization`
    gradient : GradientNorms, or None where the model holds no history, or is sampled: then nothing is at rest
    warnings : what is likely not meant
    """

    summary: str
    formula: str
    sweeps: tuple["TraceEntry", ...]
    gradient: GradientNorms | None
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        parts = [self.summary, self.formula]
        if self.sweeps:
            parts.append(_sweep_table(self.sweeps))
        if self.gradient is not None:
            parts.append(
                "gradient at the end, relative to that at rows of 0: "
                f"users {self.gradient.users:.1e}, items {self.gradient.items:.1e}"
            )
        parts += [f"warning: {warning}" for warning in self.warnings]
        return "\n\n".join(parts)


def in_full(model: "Snapshot") -> Description:
    """Return the whole description; see :meth:`FactorModel.describe`."""
    gradient, warnings = None, []
    if model.history is not None and model.draws is None:
        prepared = model.prepared(model.history, own="both")
        gradient = relative_gradient(model, prepared)
        if (weak := weak_positives_warning(model.problem, prepared)) is not None:
            warnings.append(weak)
    last = {entry.sweep: entry for entry in model.trace}
    return Description(describe(model), formula(model), tuple(last.values()), gradient, tuple(warnings))


def describe(model: "Snapshot") -> str:
    """Return sizes, settings, objective and why the fit stopped, one line each."""
    biases = ", biases" if model.problem.has_biases else ""
    factors = counted(model.n_factors, "factor")
    if model.draws is not None:
        factors += f" ({counted(model.draws.n_draws, 'draw')} of {model.draws.width - 1})"
    lines = [
        f"FactorModel: {counted(model.n_users, 'user')} × {counted(model.n_items, 'item')}, {factors}{biases}"
    ]
    if "estimator" in model.settings:
        lines.append(_line("fitted by", _estimator(model)))
    lines.append(_line("trained on", _data(model)))
    if model.trace:
        last = model.trace[-1]
        n_sweeps = max((entry.sweep for entry in model.trace if entry.side == "items"), default=0)
        sweeps = counted(n_sweeps, "sweep")
        what = "objective" if model.draws is None else "squares"
        lines.append(_line(what, f"{last.objective:,.6g} after {sweeps}, {last.seconds:.2f} s"))
    if model.stopped:
        lines.append(_line("stopped", model.stopped))
    return "\n".join(lines)


def _estimator(model: "Snapshot") -> str:
    settings = dict(model.settings)
    estimator = settings.pop("estimator")
    problem = model.problem
    if problem.user_attributes is None and problem.item_attributes is None:
        settings.pop("attribute_regularization", None)
    if problem.user_link is None and problem.item_link is None:
        settings.pop("link_regularization", None)
    if all(entry.validation is None for entry in model.trace):
        settings.pop("patience", None)
    sampled = model.draws is not None
    for name in SAMPLING if not sampled else NOT_SAMPLING:
        settings.pop(name, None)
    shown = [
        f"{name}={value!r}"
        for name, value in settings.items()
        if value is not None and value != "" and not (name in _OFF_AT_ZERO and value == 0)
    ]
    return f"{estimator}({', '.join(shown)})"


def _data(model: "Snapshot") -> str:
    text = counted(int(model.user_counts.sum()), "entry")
    if model.value_range is not None:
        text += f", values {model.value_range[0]:g} to {model.value_range[1]:g}"
    # A sampled model's own centre has what its priors' means add, too.
    center = model.problem.center if model.draws is None else model.draws.mean
    if center:
        text += f", mean {center:.4g}"
    return text + ("" if model.history is not None else " (not kept in the model)")


def _line(name: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=f"  {name:<11} ", subsequent_indent=" " * 14)


def _sweep_table(sweeps: tuple["TraceEntry", ...]) -> str:
    has_pairs = any(entry.unobserved for entry in sweeps)
    names = ["sweep", "objective", "stored", *(["all pairs"] if has_pairs else []), "penalties"]
    lines = [f"{names[0]:<6}" + "".join(f"{name:>16}" for name in names[1:])]
    for number, entry in enumerate(sweeps, 1):
        # A fit ends with a pass over the users alone.
        label = "users" if number == len(sweeps) and entry.side == "users" else str(entry.sweep)
        losses = [entry.objective, entry.observed, entry.regularization]
        if has_pairs:
            losses.insert(2, entry.unobserved)
        lines.append(f"{label:<6}" + "".join(f"{loss:>16,.6g}" for loss in losses))
    if has_pairs:
        lines.append("all pairs: stored ones too, so that stored is what they add to that")
    return "\n".join(lines)
