"""The settings of a preparation, and what a fit makes of them: constants that are saved with a model."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from alternant._settings import choice, number
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions
from alternant.preparation._checking import check_constants
from alternant.preparation._constants import Constants, Float64, Own, Side, Source
from alternant.preparation._meaning import ValueMeaning
from alternant.preparation._parsing import parse
from alternant.preparation._pipeline import prepare
from alternant.preparation._transforms import HalfLife, Transform


@dataclass(frozen=True)
class Preparation:
    """How raw entries (value v, weight w, time) become targets t and weights e.

    1. `transforms` change v (under "confidence" its magnitude; the sign stays), half_life changes w, in the
       order written.
    2. `value` says what v means: see below.
    3. e ← e · d with d = n_i^−item_discount · n_u^−user_discount over its unweighted mean.
    4. e ← e · scale; "auto" makes the mean e of the fit 1. Entries of weight 0 (in float32) go; ids stay.

    Missing values and weights count as 1. Computed in float64, stored as float32.

    Attributes
    ----------
    value :
        "rating" or "target": t = v, e = w; zeros and negative values are values like any other.
        "confidence": t = 1 and e = w·v where v > 0; t = 0 and e = w·abs(v) where v < 0, a dislike; no entry
        where v = 0. "count": the same, and negative values are refused. "ignore": t = 1, e = w
    transforms : names with optional numbers in parentheses, as in ``"log(epsilon=10) half_life(days=30)"``,
        separated by spaces or commas:

        - ``log(epsilon=1)``: v ← log(1 + v/ε)
        - ``bm25(k1=100, b=0.8)``: v ← v·(k1 + 1) / (k1·(1 − b + b·L_u/L̄) + v) · idf_i; L_u is the user's sum
          of v, L̄ its mean over users with entries, idf_i = log N − log(1 + n_i), at least 1e-6
        - ``tfidf()``: v ← √v · idf_i
        - ``normalize()``: v over the user's mean v, so that each user's mean becomes 1
        - ``half_life(days=…, reference=…)``: w ← w·2^(−(reference − time)/(days·86,400)), times in Unix
          seconds; the reference is an ISO date or Unix seconds, the latest time of the fit where none is
          given; later times weigh more than 1

        All but half_life refuse negative values, normalize also 0, where values are ratings or targets.
    user_discount, item_discount : exponents of popularity, at least 0; n_u and n_i count the entries whose
        weight is not 0 before the discount
    scale : positive, or "auto"

    Raises
    ------
    DataError : a setting that makes no sense
    """

    value: ValueMeaning = "rating"
    transforms: str = ""
    user_discount: float = 0.0
    item_discount: float = 0.0
    scale: float | Literal["auto"] = 1.0

    def __post_init__(self) -> None:
        choice("value", self.value, get_args(ValueMeaning))
        if self.value == "ignore":
            for step in self.steps:
                if not isinstance(step, HalfLife):
                    raise DataError(
                        f'value="ignore" leaves only half_life to transforms, got {self.transforms!r}'
                    )
        not_negative = "a number of at least 0"
        for name in ("user_discount", "item_discount"):
            object.__setattr__(self, name, number(name, getattr(self, name), not_negative, lambda x: x >= 0))
        if self.scale != "auto":
            words = 'a positive number, or "auto"'
            object.__setattr__(self, "scale", number("scale", self.scale, words, lambda x: x > 0))
        _ = self.steps

    @cached_property
    def steps(self) -> tuple[Transform, ...]:
        """The transforms, read."""
        return parse(self.transforms)

    @property
    def is_trivial(self) -> bool:
        """Whether raw entries are prepared entries, whatever they are."""
        return (
            self.value in ("rating", "target")
            and not self.steps
            and self.user_discount == self.item_discount == 0
            and self.scale == 1
        )

    def fit(self, interactions: Interactions) -> "Prepared":
        """Prepare the entries of a training set, and keep the constants for later ones.

        Raises
        ------
        DataError : values or times that the settings have no place for; a result that is not finite

        Examples
        --------
        >>> data = Interactions.from_arrays(["ann", "bob", "bob"], ["x", "x", "y"], [3, 1, 0])
        >>> prepared = Preparation("count", scale=10).fit(data)
        >>> prepared.interactions.entries().weights.tolist()
        [30.0, 10.0]
        """
        check_interactions(interactions)
        source = Source(interactions, stored=None, own="both")
        prepared = prepare(interactions, self, source)
        fitted = FittedPreparation(self, interactions.n_users, interactions.n_items, source.found)
        return Prepared(prepared, fitted)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Prepared entries, and how to prepare later ones alike.

    Attributes
    ----------
    interactions : values are targets (None: all 1), weights are entry weights (None: all 1), times as they
        were; the raw interactions themselves where nothing was to do
    fitted : FittedPreparation
    """

    interactions: Interactions
    fitted: "FittedPreparation"


@dataclass(frozen=True, eq=False)
class FittedPreparation:
    """A preparation with the numbers that it took from a training set. They never change.

    Attributes
    ----------
    preparation : Preparation
    n_users, n_items : ids of the training set, those without entries included
    stored : the constants: :attr:`constants`, :attr:`user_constants`, :attr:`item_constants`
    """

    preparation: Preparation
    n_users: int
    n_items: int
    stored: Constants = field(default_factory=Constants)

    def __post_init__(self) -> None:
        check_constants(self.stored, self.preparation, n_users=self.n_users, n_items=self.n_items)

    @property
    def constants(self) -> Mapping[str, float]:
        """Numbers for all entries, by name: n_users, mean_discount, step0_average_length, step0_reference."""
        return self.stored.numbers

    @property
    def user_constants(self) -> Mapping[str, Float64]:
        """Numbers of each user, by name: float64, shape (n_users,)."""
        return self.stored.users

    @property
    def item_constants(self) -> Mapping[str, Float64]:
        """Numbers of each item, by name: float64, shape (n_items,)."""
        return self.stored.items

    @property
    def is_trivial(self) -> bool:
        """Whether raw entries are prepared entries, whatever they are."""
        return self.preparation.is_trivial

    def apply(self, interactions: Interactions, *, own: Own) -> Interactions:
        """Prepare raw entries as those of the fit were.

        Parameters
        ----------
        interactions : raw, never prepared ones; the positions of the ids on the side that is not `own` are
            those of the fit, and new ids come after them
        own : the side whose numbers (counts, lengths, means) come from these entries, which are then the
            whole history of each of its ids; "both": nothing but the numbers for all entries comes from the
            fit. On the other side ids without entries in the fit get their numbers from these entries too

        Returns
        -------
        Interactions with the same ids; the same object where there is nothing to do

        Raises
        ------
        DataError : as :meth:`Preparation.fit`; fewer ids than in the fit on the side that is not `own`

        Examples
        --------
        >>> data = Interactions.from_arrays(["ann", "bob", "bob"], ["x", "x", "y"], [3, 1, 4])
        >>> fitted = Preparation("count", item_discount=1).fit(data).fitted
        >>> new = Interactions.from_arrays(["cy", "cy"], ["x", "y"], [2, 2], item_ids=["x", "y"])
        >>> fitted.apply(new, own="users").entries().weights.tolist()
        [1.5, 3.0]
        """
        check_interactions(interactions)
        choice("own", own, get_args(Own))
        for side, here, there in (
            ("users", interactions.n_users, self.n_users),
            ("items", interactions.n_items, self.n_items),
        ):
            if own not in (side, "both") and here < there:
                raise DataError(
                    f"{side} must be the {there:,} of the fit, and new ones after them, got {here:,}; "
                    f"build the interactions with {side[:-1]}_ids= of the model"
                )
        if self.is_trivial and not interactions.has_weights:
            return interactions
        source = Source(interactions, stored=self.stored, own=own)
        return prepare(interactions, self.preparation, source)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the arrays, of types that JSON has."""
        return {
            "preparation": dataclasses.asdict(self.preparation),
            "n_users": self.n_users,
            "n_items": self.n_items,
            "constants": dict(self.constants),
        }

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by names such as "users.counts": float64, one number per id."""
        return {
            f"{side}.{name}": array for side in get_args(Side) for name, array in self.stored.of(side).items()
        }

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], arrays: Mapping[str, Any]) -> "FittedPreparation":
        """Return what :meth:`to_dict` and :meth:`to_arrays` gave; arrays are used as they are, not copied.

        Raises
        ------
        DataError : something is missing, too much, of the wrong shape, or no finite number

        Examples
        --------
        >>> data = Interactions.from_arrays(["ann", "bob"], ["x", "x"], [3, 1])
        >>> fitted = Preparation("count", "bm25").fit(data).fitted
        >>> again = FittedPreparation.from_parts(fitted.to_dict(), fitted.to_arrays())
        >>> again.constants == fitted.constants
        True
        """
        expected = {"preparation", "n_users", "n_items", "constants"}
        if not isinstance(settings, Mapping) or set(settings) != expected:
            raise DataError(f"a preparation is stored as {', '.join(sorted(expected))}, got {settings!r}")
        given = settings["preparation"]
        names = {f.name for f in dataclasses.fields(Preparation)}
        if not isinstance(given, Mapping) or set(given) != names:
            raise DataError(f"the settings of a preparation are {', '.join(sorted(names))}, got {given!r}")
        if not isinstance(settings["constants"], Mapping):
            raise DataError(f"constants must be numbers by name, got {settings['constants']!r}")
        sides: dict[str, dict[str, Any]] = {side: {} for side in get_args(Side)}
        for name, array in arrays.items():
            side, _, rest = name.partition(".")
            if side not in sides:
                raise DataError(f"arrays of a preparation are named users.… or items.…, got {name!r}")
            sides[side][rest] = array
        stored = Constants(dict(settings["constants"]), sides["users"], sides["items"])
        return cls(Preparation(**given), settings["n_users"], settings["n_items"], stored)
