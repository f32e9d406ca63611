import numpy as np
import pytest

from alternant.errors import DataError
from alternant.metrics import mae, rmse


def test_rmse_and_mae_of_known_errors():
    assert rmse([1.0, 2.0, 3.0], [1.0, 4.0, 1.0]) == pytest.approx(np.sqrt(8 / 3), rel=1e-15)
    assert mae([1.0, 2.0, 3.0], [1.0, 4.0, 1.0]) == pytest.approx(4 / 3, rel=1e-15)


def test_float32_predictions_are_averaged_in_float64():
    predicted = np.full(1_000_000, 16_777_217, np.float32)  # 2**24 as float32
    assert rmse(predicted, np.full(1_000_000, 2.0**24 + 1)) == 1.0


def test_shapes_must_match():
    with pytest.raises(DataError, match=r"same shape, got \(2,\) and \(1,\)"):
        rmse([1.0, 2.0], [1.0])


def test_nothing_to_average():
    with pytest.raises(DataError, match="error of no predictions is undefined"):
        mae([], [])


def test_nan_is_refused_and_counted():
    with pytest.raises(DataError, match="predicted must be finite, got 1 of 2 values NaN or infinite"):
        rmse([1.0, np.nan], [1.0, 1.0])
