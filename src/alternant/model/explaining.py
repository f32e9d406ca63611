"""Why a model scores a pair as it does: each part of the score, exactly.

A user's row solves A x = Σ_e b_e y_e + D m, so with z = A⁻¹ q the factors' part of a score is a sum,

    q · x  =  Σ_e b_e (y_e · z)  +  Σ (D m) · z,

one term for each entry of the history and for each attribute; the item's own bias is one more. Coordinates
that the constraint or penalty of non-negative and L1 factors holds at 0 have no part; an L1 penalty takes a
constant off. Nothing here enters a factor, so LAPACK may solve, in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alternant._frames import FrameType, make_frame
from alternant.days import day_of
from alternant.errors import DataError
from alternant.interactions import EntryRows, RowBlock
from alternant.kernels.rows import EntryTerm
from alternant.model.choosing import ChosenRows, choose
from alternant.model.folding import FoldedIn
from alternant.model.pairs import paired

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

Float64 = NDArray[np.float64]

_PAIRS_SHOWN = 3
_TERMS_SHOWN = 10
# Beyond this share of the largest term, a sum differs from the score by more than float32 rounding.
_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """The terms of the scores of pairs; ``print`` shows them, the strongest first.

    The terms of pair p lie at ``offsets[p]:offsets[p + 1]`` of the columns. ``len()`` counts the pairs;
    iterating gives one `Explanation` per pair.

    Attributes
    ----------
    user_id, item_id : int64 or object (str), shape (n_pairs,)
    offsets : int64, shape (n_pairs + 1,)
    kind : object (str), shape (n_terms,)
        "history", "attribute", "item bias" or "constant" (of an L1 penalty).
    label : object, shape (n_terms,)
        The item id of a "history" term, the name of an "attribute", "" of the item's bias, "l1" of a
        constant.
    contribution : float64, shape (n_terms,)
    frame_type : the type of frame that the training data came in, or None
    """

    user_id: NDArray[Any]
    item_id: NDArray[Any]
    offsets: NDArray[np.int64]
    kind: NDArray[np.object_]
    label: NDArray[np.object_]
    contribution: Float64
    frame_type: FrameType | None = None

    def __len__(self) -> int:
        return len(self.user_id)

    def __iter__(self) -> Iterator["Explanation"]:
        for pair in range(len(self)):
            terms = slice(int(self.offsets[pair]), int(self.offsets[pair + 1]))
            yield Explanation(
                self.user_id[pair : pair + 1],
                self.item_id[pair : pair + 1],
                np.array([0, terms.stop - terms.start], np.int64),
                self.kind[terms],
                self.label[terms],
                self.contribution[terms],
                self.frame_type,
            )

    @property
    def score(self) -> Float64:
        """The sum of each pair's terms, which is the model's score: float64, shape (n_pairs,)."""
        return np.bincount(self.pair_index, weights=self.contribution, minlength=len(self)).astype(np.float64)

    @cached_property
    def pair_index(self) -> NDArray[np.int64]:
        """The pair of each term: int64, shape (n_terms,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def to_frame(self, frame_type: FrameType | None = None) -> Any:
        """Return columns user_id, item_id, kind, label (as strings), contribution; a row for each term.

        `frame_type` None is the type of the training data, else the first of pandas, polars, pyarrow at hand.

        Raises
        ------
        DataError
            The library is not installed, or there is no such type.
        """
        label = np.empty(len(self.label), object)
        label[:] = [str(each) for each in self.label.tolist()]
        columns: dict[str, NDArray[Any]] = {
            "user_id": self.user_id[self.pair_index],
            "item_id": self.item_id[self.pair_index],
            "kind": self.kind,
            "label": label,
            "contribution": self.contribution,
        }
        return make_frame(columns, frame_type or self.frame_type)

    def __repr__(self) -> str:
        lines = []
        for pair, one in enumerate(self):
            if pair == _PAIRS_SHOWN:
                lines.append(f"and {len(self) - _PAIRS_SHOWN:,} more pairs")
                break
            user, item = one.user_id.tolist()[0], one.item_id.tolist()[0]
            lines.append(f"user {user!r}, item {item!r}: score {one.score[0]:.4f}")
            strongest = np.argsort(-np.abs(one.contribution), kind="stable")
            for term in strongest[:_TERMS_SHOWN].tolist():
                name = f"{one.kind[term]} {one.label[term]}".strip()
                lines.append(f"  {one.contribution[term]:+10.4f}  {name}")
            left = strongest[_TERMS_SHOWN:]
            if len(left):
                lines.append(f"  {one.contribution[left].sum():+10.4f}  {len(left):,} weaker terms")
        return "\n".join(lines) if lines else "explanations of 0 pairs"


def explain(model: "Snapshot", users: Any, items: Any) -> Explanation:
    """Explain the scores of pairs; see :meth:`FactorModel.explain`."""
    if model.draws is not None:
        raise DataError(
            "a sampled model cannot explain its scores, which are averages over draws; "
            "explain those of a model fitted without n_samples"
        )
    u, i = choose(model, "users", users), choose(model, "items", items)
    u_index, i_index = paired(u, i, users)
    chosen, place = np.unique(u_index, return_inverse=True)
    systems = _systems(model, u, users, chosen)
    bounds = np.cumsum(np.bincount(place, minlength=len(chosen)))
    order = np.argsort(place, kind="stable")
    terms: list[_Terms] = [_Terms([], [], np.empty(0))] * len(u_index)
    for system, begin, end in zip(systems, np.append(0, bounds)[:-1], bounds, strict=True):
        pairs = order[begin:end]
        contributions = system.contributions(model.item_table[i_index[pairs]].astype(np.float64))
        for pair, contribution in zip(pairs.tolist(), contributions, strict=True):
            terms[pair] = _Terms(system.kinds, system.labels, contribution)
    if model.item_biases is not None:
        for pair, bias in enumerate(model.item_biases[i_index].tolist()):
            kinds, labels, contribution = terms[pair]
            terms[pair] = _Terms([*kinds, "item bias"], [*labels, ""], np.append(contribution, bias))
    offsets = np.zeros(len(terms) + 1, np.int64)
    np.cumsum([len(each.kinds) for each in terms], out=offsets[1:])
    explanation = Explanation(
        u.labels if len(u.labels) == len(u_index) else np.repeat(u.labels, len(u_index)),
        i.labels if len(i.labels) == len(i_index) else np.repeat(i.labels, len(i_index)),
        offsets,
        _objects([kind for each in terms for kind in each.kinds]),
        _objects([label for each in terms for label in each.labels]),
        np.concatenate([each.contribution for each in terms]) if terms else np.empty(0),
        model.frame_type,
    )
    _check(model, u, u_index, i_index, explanation)
    return explanation


class _Terms(NamedTuple):
    """The terms of one pair: a kind, a label and a contribution each."""

    kinds: list[str]
    labels: list[Any]
    contribution: Float64


@dataclass(frozen=True, eq=False)
class _System:
    """What a user's row was solved from: A, and the right sides that add up to the whole one.

    matrix : float64, shape (n_active, n_active); of the coordinates `active` only
    sources : float64, shape (n_terms, n_active), one row for each term
    """

    active: NDArray[np.intp]
    n_factors: int
    matrix: Float64
    sources: Float64
    kinds: list[str]
    labels: list[Any]

    def contributions(self, item_rows: Float64) -> Float64:
        """Return what each term adds to q · x: float64, shape (n_items, n_terms)."""
        queries = item_rows.copy()
        queries[:, self.n_factors :] = 0.0  # a user's bias is no part of a score
        if len(self.active) == 0 or len(self.sources) == 0:
            return np.zeros((len(queries), len(self.sources)))
        try:
            solved = np.linalg.solve(self.matrix, queries[:, self.active].T)
        except np.linalg.LinAlgError as error:
            raise DataError(
                "a user's row system is singular to the precision of its numbers, so its score has no parts; "
                "make values or weights of this size smaller, or raise regularization"
            ) from error
        found: Float64 = solved.T @ self.sources.T
        return found


def _systems(model: "Snapshot", u: ChosenRows, users: Any, chosen: NDArray[np.int32]) -> Iterator[_System]:
    """Yield the system of each row `chosen` of the users' table."""
    problem, fixed = model.problem, model.fixed_items
    rows = _prepared_rows(model, u, users, chosen)
    features = _features_rows(model, u, chosen)
    names = model.user_prior.encoding.feature_names if model.user_prior.encoding is not None else ()
    for row in range(len(chosen)):
        block = rows.block(row, row + 1)
        count = np.diff(block.offsets)
        terms = problem.row_terms("users", block, fixed)
        # A row without entries is outside the objective: it is its prior mean, whatever its ridge.
        diagonal = problem.diagonal("users", count)[0] if count[0] > 0 else np.ones(problem.width)
        y = fixed.table[block.indices].astype(np.float64)
        a, b = _numbers(terms.a, block), _numbers(terms.b, block)
        if terms.b_is_target:
            b = a * (b - y[:, -1] if terms.bias_column else b)
        if terms.bias_column:
            y[:, -1] = 1.0
        y_left = y
        if problem.day_ridge is not None:
            y_left = _less_of_days(y, a, rows.block(row, row + 1).times, problem.day_ridge)
        matrix = (y.T * a) @ y_left + np.diag(diagonal)
        if terms.w0 is not None and count[0] > 0:
            matrix += terms.w0[0] * (terms.gram if terms.omega is None else np.diag(terms.omega))
        sources = b[:, None] * y_left
        if model.user_prior.link is not None and count[0] > 0:
            sources += diagonal * model.user_prior.link[block.indices] / np.sqrt(count[0])
        kinds = ["history"] * len(sources)
        labels = model.item_ids.decode(block.indices).tolist()
        if features is not None and model.user_prior.attributes is not None:
            feature = features.block(row, row + 1)
            values = np.ones(len(feature.indices)) if feature.values is None else feature.values
            sources = np.vstack(
                [sources, diagonal * model.user_prior.attributes[feature.indices] * values[:, None]]
            )
            kinds += ["attribute"] * len(values)
            labels += [names[each] for each in feature.indices.tolist()]
        x = u.table[chosen[row]].astype(np.float64)
        active = np.arange(len(x))
        if problem.by_descent and count[0] > 0:
            active = np.flatnonzero((x != 0.0) | (active >= problem.n_factors))
            l1 = problem.l1_of("users", count)
            if l1 is not None:
                sign = np.sign(x) * (np.arange(len(x)) < problem.n_factors)
                sources = np.vstack([sources, -0.5 * l1[0] * sign])
                kinds, labels = [*kinds, "constant"], [*labels, "l1"]
        yield _System(
            active, problem.n_factors, matrix[np.ix_(active, active)], sources[:, active], kinds, labels
        )


def _less_of_days(y: Float64, a: Float64, times: NDArray[np.int64] | None, ridge: float) -> Float64:
    """Return the entries' rows less what their days' biases take over: y − Σ_day a y / (Σ_day a + λ)."""
    if times is None or len(times) == 0:
        return y
    _, day = np.unique(day_of(times), return_inverse=True)
    weight = np.bincount(day, a)
    sums = np.zeros((len(weight), y.shape[1]))
    np.add.at(sums, day, a[:, None] * y)
    return np.asarray(y - (sums / (weight + ridge)[:, None])[day])


def _prepared_rows(model: "Snapshot", u: ChosenRows, users: Any, chosen: NDArray[np.int32]) -> EntryRows:
    """Return the prepared entries of the users `chosen`."""
    history = users.history if isinstance(users, FoldedIn) else model.history
    if history is None:
        raise DataError(
            "explanations need the history that the users were solved from, and this model was saved "
            "without; pass model.fold_in(history) as users"
        )
    if model.preparation is None:
        return history.by_user.chosen(chosen)
    asked = np.zeros(len(u.table), np.bool_)
    asked[chosen] = True
    part = history.take(asked[history.entries().user_index])
    return model.prepared(part, own="users").by_user.chosen(chosen)


def _features_rows(model: "Snapshot", u: ChosenRows, chosen: NDArray[np.int32]) -> EntryRows | None:
    """Return the features of the users `chosen`; None in a model without attributes of users."""
    if model.user_prior.attributes is None:
        return None
    return None if u.features is None else u.features.chosen(chosen)


def _numbers(term: EntryTerm, block: RowBlock) -> Float64:
    """Return one number for each entry of a block."""
    if term.array is not None:
        return term.array.astype(np.float64)
    values = 1.0 if block.values is None else block.values.astype(np.float64)
    return np.asarray(np.full(len(block.indices), term.constant) + term.slope * values)


def _objects(values: list[Any]) -> NDArray[np.object_]:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _check(
    model: "Snapshot",
    u: ChosenRows,
    u_index: NDArray[np.int32],
    i_index: NDArray[np.int32],
    explanation: Explanation,
) -> None:
    """Refuse an explanation that does not add up to the scores."""
    k = model.n_factors
    left, right = u.table[u_index, :k].astype(np.float64), model.item_table[i_index].astype(np.float64)
    expected = np.einsum("ij,ij->i", left, right[:, :k])
    size = np.einsum("ij,ij->i", np.abs(left), np.abs(right[:, :k]))
    if model.item_biases is not None:
        expected += right[:, k]
    np.maximum.at(size, explanation.pair_index, np.abs(explanation.contribution))
    wrong = np.abs(explanation.score - expected) > _TOLERANCE * size + 1e-6
    if wrong.any():
        pair = int(wrong.argmax())
        raise DataError(
            f"the terms of user {explanation.user_id.tolist()[pair]!r} must sum to the score "
            f"{expected[pair]:.6g}, got {explanation.score[pair]:.6g}: "
            "this is not the history, or not the attributes, that the user was solved from; fold in without "
            "attributes=, or fit again with them"
        )
