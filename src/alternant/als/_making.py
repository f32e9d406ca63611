"""From tables to a model: of a fit that has ended, and of one that is still going on."""

from dataclasses import asdict, dataclass

import numpy as np

from alternant.als._catalogue import Catalogue, SideAttributes
from alternant.als._settings import FactorSettings
from alternant.kernels import dense
from alternant.model import FactorModel, TraceEntry
from alternant.model.priors import SidePrior, side_prior
from alternant.objective import Float64, Objective, Table
from alternant.preparation import Prepared, value_steps
from alternant.prior import PriorPart, prior_mean, with_means
from alternant.training import LocalBackend, State


@dataclass(frozen=True, eq=False)
class ModelMaker:
    """What a model holds beside its tables."""

    catalogue: Catalogue
    prepared: Prepared
    objective: Objective
    estimator: FactorSettings
    backend: LocalBackend

    def model(
        self,
        state: State,
        *,
        omega: Float64,
        gram: Table | None,
        trace: tuple[TraceEntry, ...] = (),
        stopped: str = "",
    ) -> FactorModel:
        """Return the model of some tables."""
        data, objective, n_threads = self.prepared.interactions, self.objective, self.backend.n_threads
        catalogue, days = self.catalogue, self.backend.days
        users, items = state.users, state.items
        user_parts, item_parts = self.backend.parts("users"), self.backend.parts("items")
        user_mean = prior_mean(user_parts, users.coefficients, n_threads=n_threads)
        item_mean = prior_mean(item_parts, items.coefficients, n_threads=n_threads)
        # The range of what predict gives: of raw values, where transforms of them are undone.
        undoes = bool(value_steps(self.prepared.fitted.preparation))
        return FactorModel(
            user_ids=data.user_ids,
            item_ids=data.item_ids,
            user_table=with_means(users.table, data.by_user.counts, user_mean),
            item_table=with_means(items.table, data.by_item.counts, item_mean),
            problem=objective,
            settings={"estimator": type(self.estimator).__name__, **asdict(self.estimator)},
            user_counts=data.by_user.counts,
            item_counts=data.by_item.counts,
            omega=omega,
            gram=gram,
            preparation=None if self.prepared.fitted.is_trivial else self.prepared.fitted,
            user_prior=_prior(tuple(user_parts), users.coefficients, catalogue.users),
            item_prior=_prior(tuple(item_parts), items.coefficients, catalogue.items),
            user_unobserved=objective.unobserved_scale("users", data.by_user.counts),
            item_unobserved=objective.unobserved_scale("items", data.by_item.counts),
            day_biases=None if days is None or users.day_biases is None else days.biases(users.day_biases),
            history=catalogue.interactions,
            trace=trace,
            stopped=stopped,
            value_range=(catalogue.interactions if undoes else data).summary().value_range,
            frame_type=catalogue.interactions.frame_type,
        )

    def unfinished(self, state: State) -> FactorModel:
        """Return the model of the tables after a sweep: of items that are not in their canonical basis.

        Its users were solved before the items of that sweep.
        """
        table, weights = state.items.table, None
        if self.objective.has_unobserved:
            weights = self.objective.unobserved_scale("items", self.backend.interactions.by_item.counts)
        factors = np.ascontiguousarray(table[:, : self.objective.n_factors])
        if weights is not None:
            factors = factors * np.sqrt(weights).astype(np.float32)[:, None]
        gram = dense.gramian(factors, n_threads=self.backend.n_threads)
        return self.model(
            state,
            omega=np.diagonal(gram).copy(),
            gram=gram.astype(np.float32) if self.objective.has_unobserved else None,
            stopped="not finished",
        )


def _prior(
    parts: tuple[PriorPart, ...], coefficients: tuple[Table, ...], attributes: SideAttributes | None
) -> SidePrior:
    if attributes is None:
        return side_prior(parts, coefficients, None, None)
    return side_prior(parts, coefficients, attributes.encoding, attributes.features)
