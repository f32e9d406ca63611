"""What a model minimises, as plain text with its numbers."""

from typing import TYPE_CHECKING

from alternant.model.draws import Draws
from alternant.objective import ImplicitObjective, Objective, Ridge, Side
from alternant.preparation import FittedPreparation, Preparation, value_steps

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

_ROW = {"users": ("u", "x", "i"), "items": ("i", "y", "u")}
_SIDES: tuple[Side, Side] = ("users", "items")


def formula(model: "Snapshot") -> str:
    """Return the terms of the objective, one a line, then what their symbols mean."""
    problem = model.problem
    if model.draws is not None:
        return _sampled(model, model.draws)
    terms = [*_data_terms(problem), *_penalties(problem)]
    lines = [
        "minimised over the tables of users x and items y" + (" and biases b" * problem.has_biases) + ":"
    ]
    lines += [("    " if number == 0 else "  + ") + term for number, term in enumerate(terms)]
    lines.append("where")
    lines += [f"    {text}" for text in (*_meanings(problem), *_entries(model.preparation))]
    return "\n".join(lines)


def _sampled(model: "Snapshot", draws: Draws) -> str:
    """Return the model that draws are from."""
    lines = [
        f"averaged over {draws.n_draws} draws from the posterior of",
        f"    t = {_number(draws.mean)} + b_u + b_i + x_u·y_i + noise,  noise ~ N(0, σ²/e)",
    ]
    for side in _SIDES:
        row, x, that = _ROW[side]
        shifts = []
        if draws.of(side).link is not None:
            shifts.append(f"n_{row}^−½ Σ_({that} with an entry of {row}) z^{side}_{that}")
        if draws.of(side).attributes is not None:
            shifts.append(f"Σ_(features f of {row}) f·g^{side}_f")
        lines.append(f"    ({x}_{row}, b_{row}) ~ N({' + '.join([f'μ^{side}', *shifts])}, Λ^{side}⁻¹)")
        if shifts:
            lines.append(f"    rows of z^{side} and g^{side} ~ N(0, Λ^{side}⁻¹)")
    lines += [
        "with normal-Wishart priors of μ and Λ, and a Gamma prior of σ⁻²; where",
        f"    σ = {_number(draws.noise)} at the end (root of the mean square of the draws kept)",
    ]
    return "\n".join([*lines, *(f"    {text}" for text in _entries(model.preparation))])


# -- terms ---------------------------------------------------------------------------------------------


def _data_terms(problem: Objective) -> list[str]:
    if not isinstance(problem, ImplicitObjective):
        center = "" if problem.center == 0 else f" {_minus(problem.center)}"
        biases = " − b_u − b_i" if problem.has_biases else ""
        days = "" if problem.day_ridge is None else " − d_u,day"
        return [f"Σ_stored e (t{center}{biases}{days} − x_u·y_i)²"]
    terms = ["Σ_stored c (t − x_u·y_i)²"]
    if problem.has_unobserved:
        pairs = "all pairs" if problem.form == "ials" else "pairs that are not stored"
        scales = "s_u " * (problem.user_exponent != 0) + "v_i " * (problem.item_exponent != 0)
        terms.append(f"{_number(problem.unobserved_weight)} Σ_({pairs}) {scales}(x_u·y_i)²")
    return terms


def _penalties(problem: Objective) -> list[str]:
    terms = []
    for side in _SIDES:
        row, x, _ = _ROW[side]
        ridge, size = problem.ridge(side), f"{'size' if problem.has_unobserved else 'n'}_{row}"
        mean = f" − m_{row}" if _has_prior(problem, side) else ""
        bias_mean = f" − m_{row}ᵇ" if problem.attribute_ridge(side) is not None else ""
        terms.append(_term(row, _power(ridge.slope, ridge.constant, ridge, size), f"‖{x}_{row}{mean}‖²"))
        if problem.has_biases:
            bias = f"(b_{row}{bias_mean})²" if bias_mean else f"b_{row}²"
            terms.append(_term(row, _power(ridge.bias_slope, ridge.bias_constant, ridge, size), bias))
        if problem.l1 > 0:
            terms.append(_term(row, _power(problem.l1, 0.0, ridge, size), f"Σ|{x}_{row}|"))
        for tau, letter in ((problem.link_ridge(side), "z"), (problem.attribute_ridge(side), "g")):
            if tau is not None:
                terms.append(f"{_number(tau)} Σ ‖{letter}^{side}‖²")
    if problem.day_ridge is not None:
        terms.append(f"{_number(problem.day_ridge)} Σ_(u, day) d_u,day²")
    return [term for term in terms if term]


def _term(row: str, factor: str, rest: str) -> str:
    return f"Σ_{row} {factor} {rest}" if factor else ""


def _power(slope: float, constant: float, ridge: Ridge, size: str) -> str:
    """Return slope · size^exponent + constant, "" where it is 0."""
    if slope == 0 or ridge.exponent == 0:
        total = slope + constant
        return _number(total) if total else ""
    power = f"{_number(slope)}·{size}" + ("" if ridge.exponent == 1 else f"^{_number(ridge.exponent)}")
    return f"({power} + {_number(constant)})" if constant else power


def _has_prior(problem: Objective, side: Side) -> bool:
    return problem.link_ridge(side) is not None or problem.attribute_ridge(side) is not None


# -- symbols -------------------------------------------------------------------------------------------


def _meanings(problem: Objective) -> list[str]:
    lines = ["n_u, n_i: entries of a user, of an item; those without are outside the objective"]
    if isinstance(problem, ImplicitObjective):
        lines += _implicit_meanings(problem)
    for side in _SIDES:
        lines += _mean(problem, side)
    if problem.day_ridge is not None:
        lines.append("day: that of the entry's time, of 86,400 s from midnight UTC")
    if problem.nonnegative:
        lines.append("x ≥ 0 and y ≥ 0" + (", biases free" if problem.has_biases else ""))
    return lines


def _implicit_meanings(problem: ImplicitObjective) -> list[str]:
    w0 = _number(problem.unobserved_weight)
    scales = " s_u" * (problem.user_exponent != 0) + " v_i" * (problem.item_exponent != 0)
    c = f"{w0}{scales} + e" if problem.form == "hkv" else "e"
    lines = [f'c = {c} (form "{problem.form}")']
    exponents = problem.user_ridge.exponent, problem.item_ridge.exponent
    if problem.has_unobserved and any(exponents):
        lines.append(f"size_u = n_u + {w0}·{problem.n_items}, size_i = n_i + {w0}·{problem.n_users}")
    for name, row, mean, exponent in (
        ("s_u", "n_u", problem.mean_user_count, problem.user_exponent),
        ("v_i", "n_i", problem.mean_item_count, problem.item_exponent),
    ):
        if exponent != 0:
            lines.append(f"{name} = ({row} / {_number(mean)})^{_number(exponent)}")
    return lines


def _mean(problem: Objective, side: Side) -> list[str]:
    row, _, that = _ROW[side]
    parts = []
    if problem.link_ridge(side) is not None:
        parts.append(f"n_{row}^−½ Σ_({that} with an entry of {row}) z^{side}_{that}")
    if problem.attribute_ridge(side) is not None:
        parts.append(f"Σ_(features f of {row}) f·g^{side}_f")
    if not parts:
        return []
    lines = [f"m_{row} = " + " + ".join(parts)]
    if problem.has_biases and problem.attribute_ridge(side) is not None:
        lines.append(f"m_{row}ᵇ: the last column of the attributes' part of m_{row}")
    return lines


def _entries(fitted: FittedPreparation | None) -> list[str]:
    preparation = Preparation() if fitted is None else fitted.preparation
    meaning = preparation.value
    target, magnitude = {
        "rating": ("v", ""),
        "target": ("v", ""),
        "confidence": ("1, or 0 where v < 0", "·|v|"),
        "count": ("1", "·v"),
        "ignore": ("1", ""),
    }[meaning]
    discount = ""
    if preparation.user_discount or preparation.item_discount:
        discount = "·d"
    alpha = preparation.scale
    if alpha == "auto":
        alpha = 1.0 if fitted is None else fitted.constants["scale"]
    scale = "" if alpha == 1 else f"{_number(alpha)}·"
    lines = [f"t = {target};  e = {scale}w{magnitude}{discount} (value v, weight w; missing ones count as 1)"]
    if discount:
        powers = [
            f"n_{row}^−{_number(gamma)}"
            for row, gamma in (("u", preparation.user_discount), ("i", preparation.item_discount))
            if gamma
        ]
        mean = None if fitted is None else fitted.constants.get("mean_discount")
        lines.append(f"d = {' · '.join(powers)}" + ("" if mean is None else f" / {_number(mean)}"))
    if preparation.transforms:
        lines.append(f"v and w are changed first by {preparation.transforms}")
        steps = value_steps(preparation)
        if steps:
            lines.append("predictions are changed back, to the scale of the raw values; scores are not")
        elif steps is None:
            lines.append("predictions and scores are on the scale of the changed values")
    return lines


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _minus(value: float) -> str:
    return f"− {_number(value)}" if value > 0 else f"+ {_number(-value)}"
