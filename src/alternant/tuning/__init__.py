"""Better settings by search: a space of settings, trials of an estimator on held-out entries, the best one.

The search itself is Optuna's; see :func:`tune`.
"""

from alternant import _optional

_optional.require("optuna", extra="tune", purpose="tuning")

from alternant.tuning._result import Trial, Tuned  # noqa: E402
from alternant.tuning._space import Choice, Range, Space, default_space  # noqa: E402
from alternant.tuning._tune import tune  # noqa: E402

__all__ = ["Choice", "Range", "Space", "Trial", "Tuned", "default_space", "tune"]
