"""Ratings by Gibbs sampling: a model whose predictions are averages over draws; no ridge to choose."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from alternant.als._catalogue import Catalogue, SideAttributes
from alternant.als._settings import FactorSettings
from alternant.errors import DataError
from alternant.interactions import EntryRows, Interactions
from alternant.model import FactorModel
from alternant.model.draws import Draws
from alternant.model.priors import SidePrior
from alternant.objective import BiasModel, SampledObjective, Side, Table, rows_of
from alternant.preparation import Prepared
from alternant.training import Callback, gibbs_side, sample


def refuse_settings(estimator: FactorSettings, names: Sequence[str], n_samples: int) -> None:
    """Refuse settings that sampling draws itself, or has no use for."""
    for name in names:
        field = type(estimator).__dataclass_fields__[name]
        if getattr(estimator, name) != field.default:
            raise DataError(
                f"{name} must be left at {field.default!r} with n_samples={n_samples}, got "
                f"{getattr(estimator, name)!r}: sampling draws ridges and noise, and has no use for it"
            )


def fit_sampled(
    catalogue: Catalogue,
    prepared: Prepared,
    bias_model: BiasModel,
    estimator: FactorSettings,
    *,
    link: bool,
    n_samples: int,
    burn_in: int,
    n_kept: int,
    callback: Callback | None,
    n_threads: int,
) -> FactorModel:
    """Draw from the posterior, and return the model that averages over the draws kept."""
    data = prepared.interactions
    sampled = sample(
        gibbs_side(data, "users", link=link, features=_features(catalogue.users), n_threads=n_threads),
        gibbs_side(data, "items", link=link, features=_features(catalogue.items), n_threads=n_threads),
        bias_model,
        n_factors=estimator.n_factors,
        n_samples=n_samples,
        burn_in=burn_in,
        n_kept=min(n_kept, n_samples),
        seed=estimator.seed,
        callback=callback,
        n_threads=n_threads,
    )
    draws = sampled.draws
    item_table = _table(draws, "items", data, _features(catalogue.items), n_threads)
    n_columns = draws.n_draws * estimator.n_factors
    return FactorModel(
        user_ids=data.user_ids,
        item_ids=data.item_ids,
        user_table=_table(draws, "users", data, _features(catalogue.users), n_threads),
        item_table=item_table,
        problem=SampledObjective(n_factors=n_columns, n_draws=draws.n_draws, mean=draws.center),
        settings={"estimator": type(estimator).__name__, **asdict(estimator)},
        user_counts=data.by_user.counts,
        item_counts=data.by_item.counts,
        omega=np.einsum("ij,ij->j", item_table[:, :-1], item_table[:, :-1], dtype=np.float64),
        preparation=None if prepared.fitted.is_trivial else prepared.fitted,
        user_prior=_prior(catalogue.users),
        item_prior=_prior(catalogue.items),
        draws=draws,
        history=catalogue.interactions,
        trace=sampled.trace,
        stopped=sampled.stopped,
        value_range=data.summary().value_range,
        frame_type=catalogue.interactions.frame_type,
    )


def _features(attributes: SideAttributes | None) -> EntryRows | None:
    return None if attributes is None else attributes.features


def _prior(attributes: SideAttributes | None) -> SidePrior:
    """Return what attributes are; their coefficients are in the draws."""
    if attributes is None:
        return SidePrior()
    return SidePrior(encoding=attributes.encoding, features=attributes.features)


def _table(draws: Draws, side: Side, data: Interactions, features: EntryRows | None, n_threads: int) -> Table:
    users, items = data.user_ids.hashes, data.item_ids.hashes
    return draws.table(
        side,
        rows_of(data, side),
        features,
        hashes=users if side == "users" else items,
        other_hashes=items if side == "users" else users,
        n_threads=n_threads,
    )
