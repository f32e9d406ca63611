"""How much each direction of the factors carries."""

import altair as alt
import numpy as np

from alternant._words import counted
from alternant.errors import DataError
from alternant.model import FactorModel
from alternant.plots._theme import Chart, inline, titled

_MOST_POINTS = 1024


def spectrum(model: FactorModel) -> Chart:
    """Draw ω, the eigenvalues of the items' Gramian, strongest first, as shares of their sum.

    A spectrum that has not come down at its right end could use more factors; one that has been near 0 for
    long would lose little with fewer.

    Raises
    ------
    DataError
        The model is sampled: its tables hold many draws side by side, which have no spectrum of their own; or
        all factors are 0.

    Examples
    --------
    >>> from alternant import ExplicitALS, plots
    >>> from alternant.synthetic import example
    >>> model = ExplicitALS(n_factors=2, regularization=0.1).fit(example())
    >>> plots.spectrum(model).to_dict()["title"]["text"]
    'How much each factor carries'
    """
    if model.draws is not None:
        raise DataError(
            "a sampled model has no spectrum: its tables hold draws side by side; "
            "expected one without n_samples"
        )
    omega = np.maximum(np.asarray(model.omega, np.float64), 0.0)
    total = omega.sum()
    if not total > 0:
        raise DataError(
            'all factors of this model are 0, so there is no spectrum; where regularization is "auto", '
            "the data "
            "hold nothing beyond biases"
        )
    share, cumulative = 100 * omega / total, 100 * np.cumsum(omega) / total
    number = np.arange(1, len(omega) + 1)
    chosen = slice(None, None, max(1, -(-len(omega) // _MOST_POINTS)))
    data = inline(
        factor=number[chosen], omega=omega[chosen], share=share[chosen], cumulative=cumulative[chosen]
    )
    x = alt.X(
        "factor:Q",
        title="factor, strongest first",
        axis=alt.Axis(values=_ticks(len(omega)), format=",d", grid=False),
        scale=alt.Scale(domain=[0.5, len(omega) + 0.5], nice=False),
    )
    tooltip = [
        alt.Tooltip("factor:Q"),
        alt.Tooltip("omega:Q", title="ω", format=",.4g"),
        alt.Tooltip("share:Q", title="share, %", format=".3g"),
        alt.Tooltip("cumulative:Q", title="this and stronger, %", format=".4g"),
    ]
    base = alt.Chart(data).encode(x=x, tooltip=tooltip)
    width = 560
    bars = base.mark_bar(width=max(1.0, min(24.0, 0.8 * width / len(omega)))).encode(
        y=alt.Y("share:Q", title="share of the sum of ω (%)")
    )
    sums = base.mark_line(point=len(omega) <= 64).encode(
        y=alt.Y(
            "cumulative:Q",
            title="sum so far (%)",
            scale=alt.Scale(domain=[0, 100], nice=False),
        )
    )
    half, most = (int(np.searchsorted(cumulative, part * (1 - 1e-12)) + 1) for part in (50.0, 90.0))
    chart = alt.vconcat(bars.properties(width=width, height=180), sums.properties(width=width, height=140))
    return titled(
        chart,
        "How much each factor carries",
        f"ω, the eigenvalues of the items' Gramian: {counted(half, 'factor')} of {len(omega):,} hold half "
        f"of the sum, {most:,} hold 90 %",
    )


def _ticks(n: int) -> list[int]:
    """Return round numbers of factors from 1 to n, about ten."""
    if n <= 12:
        return list(range(1, n + 1))
    step = next(
        step for step in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 10**4, 10**5) if n / step <= 13
    )
    return [1, *range(step, n + 1, step)]
