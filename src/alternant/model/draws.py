"""The draws that a sampled model holds, and the tables that they make.

With S draws (U_s, V_s) of both sides, the prediction is the average of u_s·v_s + biases. A sampled model's
tables hold all draws side by side, divided by √S, so that one inner product is the whole average:

    user row = ( û_1/√S, …, û_S/√S, mean bias ),    item row = ( v̂_1/√S, …, v̂_S/√S, mean bias )

û_s is the mean of a user's posterior given the draw V_s of the items, v̂_s that of an item's given the draw
U_s of the users. Given U_s, an item that the user has no entry for is independent of the rest of V_s, and so
of û_s: û_s·v̂_s has the mean of u_s·v_s with far less chance in it, and few draws are enough. (Entries of the
training data are fitted a little less closely than by u_s·v_s.)

Factors are counted from the mean of their side's prior; what that mean adds to predictions is in biases and
in the model's mean. So a row of zeros is an average row.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.interactions import EntryRows
from alternant.objective import Side
from alternant.prior import PriorPart, attribute_part, link_part, prior_mean
from alternant.sampling import Hashes, NormalPrior, draw_side

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

FOLD_SWEEP = 1 << 23
"""Draws of folded-in rows take their numbers from here on, away from those of the fit."""


@dataclass(frozen=True, eq=False)
class SideDraws:
    """The draws of one side; S of each, in the units that values are scaled to.

    Attributes
    ----------
    tables : float32, shape (S, n_rows, width)
        Draws of the rows, biases last.
    means : float64, shape (S, width)
    precisions : float64, shape (S, width, width)
        The prior of rows that goes with the draws of the other side.
    noises : float64, shape (S,)
        The standard deviation of the noise of an entry of weight 1 that goes with it.
    link : float32, shape (S, n_other, width), or None
    attributes : float32, shape (S, n_features, width), or None
        Coefficients of the shifts of prior means.
    """

    tables: Float32
    means: Float64
    precisions: Float64
    noises: Float64
    link: Float32 | None = None
    attributes: Float32 | None = None

    def shifts(
        self, draw: int, rows: EntryRows, features: EntryRows | None, *, n_threads: int
    ) -> Float32 | None:
        """Return what link and attributes add to the prior means: float32, shape (n_rows, width), or None."""
        parts: list[PriorPart] = []
        coefficients = []
        if self.link is not None:
            parts.append(link_part(rows, None, ridge=1.0))
            coefficients.append(self.link[draw])
        if self.attributes is not None and features is not None:
            parts.append(attribute_part(features, ridge=1.0, fitted=False))
            coefficients.append(self.attributes[draw])
        return prior_mean(parts, coefficients, n_threads=n_threads)


@dataclass(frozen=True, eq=False)
class Draws:
    """The draws of both sides, and the units that they are in.

    Attributes
    ----------
    users, items : SideDraws
    mean, scale : float
        Draws predict (value − mean) / scale.
    """

    users: SideDraws
    items: SideDraws
    mean: float
    scale: float

    @property
    def n_draws(self) -> int:
        """S."""
        return len(self.users.noises)

    @property
    def width(self) -> int:
        """The columns of a draw: its factors, and the bias."""
        return int(self.users.tables.shape[2])

    @property
    def center(self) -> float:
        """What every prediction starts from: the mean, and what the priors' means add to each other."""
        users, items = self.users.means, self.items.means
        each = (users[:, :-1] * items[:, :-1]).sum(axis=1) + users[:, -1] + items[:, -1]
        return self.mean + self.scale * float(each.mean())

    @property
    def noise(self) -> float:
        """The standard deviation of the noise of an entry of weight 1, in the units of the values."""
        return self.scale * float(np.sqrt(np.mean(self.users.noises**2)))

    def of(self, side: Side) -> SideDraws:
        """Return one side."""
        return self.users if side == "users" else self.items

    def other(self, side: Side) -> SideDraws:
        """Return the side that `side` is drawn under."""
        return self.items if side == "users" else self.users

    def predictions(self, draw: int, user_rows: Float32, item_index: NDArray[np.int32]) -> Float64:
        """Return what one draw predicts for pairs of users' rows and items: float64, shape (n_pairs,)."""
        items = self.items.tables[draw, item_index]
        found: Float64 = np.einsum("ij,ij->i", user_rows[:, :-1], items[:, :-1]).astype(np.float64)
        found += user_rows[:, -1]
        found += items[:, -1]
        return self.mean + self.scale * found

    def rows(
        self,
        side: Side,
        draw: int,
        entries: EntryRows,
        features: EntryRows | None,
        *,
        hashes: Hashes,
        other_hashes: Hashes,
        seed: int,
        perturbed: bool,
        n_threads: int,
    ) -> Float32:
        """Return the means of the posterior of rows under one draw of the other side, or draws of them.

        Parameters
        ----------
        entries : EntryRows of `side`, prepared
        hashes, other_hashes : uint64, those of the rows' ids and of the other side's
        perturbed : bool
            Draws, instead of means.

        Returns
        -------
        float32, shape (n_rows, width), in the units of the draws
        """
        this = self.of(side)
        return draw_side(
            side,
            entries,
            self.other(side).tables[draw],
            NormalPrior(this.means[draw], this.precisions[draw]),
            noise=float(this.noises[draw]),
            shifts=this.shifts(draw, entries, features, n_threads=n_threads),
            mean=self.mean,
            scale=self.scale,
            row_hashes=hashes,
            fixed_hashes=other_hashes,
            seed=seed,
            sweep=FOLD_SWEEP + draw,
            perturbed=perturbed,
            n_threads=n_threads,
        )

    def table(
        self,
        side: Side,
        entries: EntryRows,
        features: EntryRows | None,
        *,
        hashes: Hashes,
        other_hashes: Hashes,
        n_threads: int,
    ) -> Float32:
        """Return the rows of a model's table: float32, shape (n_rows, S·(width − 1) + 1).

        Each row depends on its own entries and features only.
        """
        k, s = self.width - 1, self.n_draws
        table = np.empty((entries.n_rows, s * k + 1), np.float32)
        biases = np.zeros(entries.n_rows)
        root = np.sqrt(self.scale / s)
        for draw in range(s):
            rows = self.rows(
                side,
                draw,
                entries,
                features,
                hashes=hashes,
                other_hashes=other_hashes,
                seed=0,
                perturbed=False,
                n_threads=n_threads,
            )
            left = rows - self.of(side).means[draw]
            table[:, draw * k : (draw + 1) * k] = left[:, :-1] * root
            biases += left[:, -1] + (left[:, :-1] * self.other(side).means[draw, :-1]).sum(axis=1)
        table[:, -1] = biases * (self.scale / s)
        return table


def draws_arrays(draws: Draws) -> dict[str, NDArray[Any]]:
    """Return the arrays of draws, for a model file."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, side in (("users", draws.users), ("items", draws.items)):
        for field in ("tables", "means", "precisions", "noises", "link", "attributes"):
            if (array := getattr(side, field)) is not None:
                arrays[f"{name}.{field}"] = array
    return arrays


def draws_dict(draws: Draws) -> dict[str, Any]:
    """Return what a model file says of draws in words."""
    return {"mean": draws.mean, "scale": draws.scale}


def draws_of(described: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Draws:
    """Return the draws that :func:`draws_arrays` and :func:`draws_dict` described."""

    def side(name: str) -> SideDraws:
        return SideDraws(
            arrays[f"{name}.tables"],
            arrays[f"{name}.means"],
            arrays[f"{name}.precisions"],
            arrays[f"{name}.noises"],
            arrays.get(f"{name}.link"),
            arrays.get(f"{name}.attributes"),
        )

    return Draws(side("users"), side("items"), float(described["mean"]), float(described["scale"]))
