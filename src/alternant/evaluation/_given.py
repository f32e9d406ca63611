"""A report of numbers that somebody else measured, such as a protocol."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.evaluation._measuring import of_lists
from alternant.evaluation._report import Report
from alternant.evaluation._summary import drawn_measures, rows_of
from alternant.evaluation._testing import Measured
from alternant.evaluation.baselines import Baseline


def report_of(
    model: str,
    per_user: Mapping[str, NDArray[np.float64]],
    *,
    user_id: NDArray[Any],
    facts: Mapping[str, Any] | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Report:
    """Return a report, with intervals, of one model's numbers for each user.

    Parameters
    ----------
    model : its name
    per_user : metric → float64, shape (n_users,); NaN where it is undefined
    user_id : shape (n_users,)
    facts : what is to be told beside the numbers
    level, n_resamples, seed : as in :func:`evaluate`

    Raises
    ------
    DataError : no metric, or numbers of another length than `user_id`

    Examples
    --------
    >>> import numpy as np
    >>> report_of("mine", {"hit_rate@1": np.array([1.0, 0.0])}, user_id=np.array([7, 8]))["hit_rate@1"]
    0.5
    """
    if not per_user or any(np.shape(values) != (len(user_id),) for values in per_user.values()):
        raise DataError("per_user must hold at least one metric, with one number for each of user_id")
    named = Baseline()
    named.name = model
    measured = Measured(tuple(of_lists(name, values) for name, values in per_user.items()), {}, None, None)
    rows = rows_of([named], [measured], drawn_measures([measured], n_resamples, seed), level)
    facts = {**(facts or {}), "level": level, "resamples": n_resamples, "seed": seed}
    return Report(model, rows, (), (), facts, user_id, {model: dict(per_user)})
