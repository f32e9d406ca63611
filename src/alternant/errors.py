"""The errors that alternant raises, as one tree.

AlternantError
├── DataError (ValueError)              the data or an argument cannot be used
├── UnknownSettingError (TypeError)     an estimator has no setting of that name
├── UnknownIdError (KeyError)           a user or item id that the model or the data does not know
├── SingularSystemError (ArithmeticError)   a row has no unique solution
├── DivergedError (ArithmeticError)     factors became infinite or NaN
├── ModelFileError (ValueError)         a model file is damaged, foreign or too new
└── MissingExtraError (ImportError)     an optional dependency is not installed

A message says what was wrong, what was expected, what was got, and what to do. This module imports nothing.
"""


class AlternantError(Exception):
    """Base of every error that alternant raises on purpose."""


class DataError(AlternantError, ValueError):
    """The data or an argument cannot be used as given."""


class UnknownSettingError(AlternantError, TypeError):
    """An estimator has no setting of that name."""


class UnknownIdError(AlternantError, KeyError):
    """A user id or item id is not known here."""

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0]) if self.args else ""


class SingularSystemError(AlternantError, ArithmeticError):
    """A row's least-squares system has no unique solution."""


class DivergedError(AlternantError, ArithmeticError):
    """Factors became infinite or NaN."""


class ModelFileError(AlternantError, ValueError):
    """A model file is damaged, foreign, or of a newer format."""


class MissingExtraError(AlternantError, ImportError):
    """An optional dependency is not installed."""
