"""The one file to run if you run only one: the whole way, on the 4 × 4 table. Needs numpy alone.

pytest tests/test_minimal.py
"""

import numpy as np
import pytest

import alternant
import reference
from alternant import ExplicitALS, Interactions, UnknownIdError
from alternant.kernels import isa_levels

NAN = float("nan")
TABLE = np.array([[5, 3, NAN, 1], [4, NAN, 2, 1], [NAN, 4, 5, 3], [1, 1, NAN, 5]])
PLAIN = ExplicitALS(
    n_factors=2,
    regularization=0.1,
    regularization_exponent=0,
    biases=False,
    center=False,
    init="spectral",
    tol=0,
    n_sweeps=3000,
)


@pytest.fixture(scope="module")
def ratings():
    users, films = np.nonzero(~np.isnan(TABLE))
    names = [f"user {u + 1}" for u in users], [f"film {i + 1}" for i in films]
    return Interactions.from_arrays(*names, TABLE[users, films])


@pytest.fixture(scope="module")
def model(ratings):
    return PLAIN.fit(ratings)


def test_the_build_has_the_portable_level():
    assert isa_levels()[0] == "portable"


def test_ids_are_sorted_and_entries_counted(ratings):
    assert ratings.user_ids.labels.tolist() == ["user 1", "user 2", "user 3", "user 4"]
    assert (ratings.n_users, ratings.n_items, ratings.n_entries) == (4, 4, 12)


def test_the_fit_reaches_the_minimum(model):
    assert model.trace[-1].objective == pytest.approx(3.7228, abs=1e-4)
    assert model.stopped == "all 3000 sweeps done"


def test_the_loss_never_rises(model):
    losses = np.array([entry.objective for entry in model.trace])
    assert np.all(np.diff(losses) <= 1e-6 * losses[:-1])


def test_unknown_cells(model):
    users, films = ["user 1", "user 2", "user 3", "user 4"], ["film 3", "film 2", "film 1", "film 3"]
    np.testing.assert_allclose(model.predict(users, films), [2.73, 2.31, 6.43, 3.94], atol=0.01)
    assert model.predict("user 3", "film 1", clip=True) == 5.0


def test_the_users_are_those_of_plain_numpy(model):
    solved = reference.solve_side(TABLE, model.item_factors.astype(float), np.full((4, 2), 0.1))
    np.testing.assert_allclose(model.user_factors, solved, rtol=1e-5)


def test_recommendations_leave_out_what_was_rated(model):
    lists = model.recommend(["user 1", "user 3"], k=10)
    assert lists.item_id.tolist() == ["film 3", "film 1"]
    assert lists.offsets.tolist() == [0, 1, 2]


def test_fold_in_gives_the_stored_vector_to_the_bit(model):
    folded = model.fold_in({"film 1": 5, "film 2": 3, "film 4": 1})
    assert folded.factors[0].tobytes() == model.user_factors[0].tobytes()


def test_an_unknown_user_is_an_error(model):
    with pytest.raises(UnknownIdError, match="no user 'user 5' in this model \\(4 users\\)"):
        model.recommend("user 5")


def test_default_settings_stay_within_the_ratings(ratings):
    predicted = ExplicitALS().fit(ratings).complete().values
    assert predicted.min() > 1
    assert predicted.max() < 5


def test_a_saved_model_is_the_same(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    loaded = alternant.load(tmp_path / "model.safetensors")
    assert loaded.user_factors.tobytes() == model.user_factors.tobytes()
    assert loaded.recommend("user 4").item_id.tolist() == ["film 3"]
