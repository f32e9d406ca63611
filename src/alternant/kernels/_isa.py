"""Which build of the compiled kernels is in use."""

import os

from alternant import _kernels
from alternant.errors import DataError

ENVIRONMENT_VARIABLE = "ALTERNANT_ISA"


def isa_levels() -> tuple[str, ...]:
    """Return the instruction-set levels that this machine runs, best last.

    Examples
    --------
    >>> isa_levels()[0]
    'portable'
    """
    return tuple(_kernels.isa_levels())


def isa() -> str:
    """Return the level in use: the best one, or the one that ``ALTERNANT_ISA`` names.

    Examples
    --------
    >>> isa() in isa_levels()
    True
    """
    return _kernels.isa()


def set_isa(name: str) -> None:
    """Use level `name` from now on, in the whole process (for tests and measurements).

    Raises
    ------
    DataError
        This machine does not run that level.

    Examples
    --------
    >>> set_isa(isa())
    """
    levels = isa_levels()
    if name not in levels:
        raise DataError(
            f"{ENVIRONMENT_VARIABLE} must be one of {', '.join(levels)} on this machine, got {name!r}"
        )
    _kernels.set_isa(name)


if os.environ.get(ENVIRONMENT_VARIABLE):
    set_isa(os.environ[ENVIRONMENT_VARIABLE])
