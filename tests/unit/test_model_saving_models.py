"""Files of models with everything that a model can hold: prior means, preparations, Gramians, weights."""

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, ModelFileError, load, modelfile
from small_models import random_history

GENRES = {"item_id": [f"i{i:03}" for i in range(22)], "genre": [f"g{i % 4}" for i in range(22)]}
TOWNS = {"user_id": [f"u{u:03}" for u in range(32)], "town": [f"t{u % 3}" for u in range(32)]}
MODELS = {
    "attributes and link": (ExplicitALS(n_factors=4, n_sweeps=3), True),
    "link with a plain ridge": (ExplicitALS(n_factors=4, n_sweeps=3, link=True, regularization=0.3), True),
    "transforms and discounts": (
        ExplicitALS(n_factors=4, n_sweeps=3, link=False, transforms="log(epsilon=2)", item_discount=0.3),
        False,
    ),
    "implicit attributes": (ImplicitALS(n_factors=4, n_sweeps=3, user_discount=0.2), True),
    "gram and unobserved weights": (
        ImplicitALS(
            n_factors=4,
            n_sweeps=3,
            nonnegative=True,
            unobserved_user_exponent=0.3,
            unobserved_item_exponent=-0.5,
        ),
        True,
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    """30 users and 20 items with entries; attributes know two more of each."""
    estimator, has_attributes = MODELS[request.param]
    attributes = {"user_attributes": TOWNS, "item_attributes": GENRES} if has_attributes else {}
    return estimator.fit(random_history(30, 20, strings=True), **attributes)


def same(one, other):
    return (one is None and other is None) or np.array_equal(one, other)


def test_everything_comes_back(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    loaded = load(tmp_path / "m.safetensors")
    for name in ("user_table", "item_table", "omega", "gram", "user_unobserved", "item_unobserved"):
        assert same(getattr(model, name), getattr(loaded, name)), name
    for side in ("user_prior", "item_prior"):
        before, after = getattr(model, side), getattr(loaded, side)
        assert same(before.link, after.link)
        assert same(before.attributes, after.attributes)
        assert before.encoding == after.encoding
        assert (before.features is None) == (after.features is None)
        if before.features is not None:
            assert np.array_equal(before.features.indices, after.features.indices)
            assert same(before.features.values, after.features.values)
    assert (model.preparation is None) == (loaded.preparation is None)
    if model.preparation is not None:
        assert loaded.preparation.to_dict() == model.preparation.to_dict()
    for name in ("problem", "settings", "trace", "stopped", "value_range"):
        assert getattr(loaded, name) == getattr(model, name), name
    assert loaded.objective(loaded.history) == model.objective(model.history)
    assert np.array_equal(loaded.fold_in(loaded.history).table, model.user_table)


def test_new_users_fold_in_to_the_same_bits(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    loaded = load(tmp_path / "m.safetensors")
    history = {"i003": 5.0, "i001": 1.0, "i019": 2.0}
    assert np.array_equal(loaded.fold_in(history).table, model.fold_in(history).table)
    if model.user_prior.encoding is not None:
        town = {"user_id": ["new user"], "town": ["t1"]}
        folded = [each.fold_in(history, attributes=town).table for each in (model, loaded)]
        assert np.array_equal(*folded)
        assert not np.array_equal(folded[0], model.fold_in(history).table)


def test_a_second_save_is_the_same_file(model, tmp_path):
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    model.save(first)
    load(first).save(second)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "user_prior.link",
        "item_prior.attributes",
        "item_prior.features.offsets",
        "user_prior.features.indices",
    ],
)
def test_a_file_without_a_part_of_a_prior_is_refused(name, tmp_path):
    estimator, _ = MODELS["attributes and link"]
    model = estimator.fit(random_history(30, 20, strings=True), user_attributes=TOWNS, item_attributes=GENRES)
    path = tmp_path / "m.safetensors"
    model.save(path)
    arrays, content = modelfile.read(path)
    arrays.pop(name)
    modelfile.write(path, arrays, content)
    with pytest.raises(ModelFileError, match="does not hold a whole model"):
        load(path)


def test_features_of_another_type_are_refused(tmp_path):
    """Seen to load, and to fail in a kernel's TypeError later."""
    estimator, _ = MODELS["attributes and link"]
    model = estimator.fit(random_history(30, 20, strings=True), user_attributes=TOWNS, item_attributes=GENRES)
    path = tmp_path / "m.safetensors"
    model.save(path)
    arrays, content = modelfile.read(path)
    n = len(arrays["item_prior.features.indices"])
    modelfile.write(path, arrays | {"item_prior.features.values": np.ones(n)}, content)
    with pytest.raises(ModelFileError, match="values of features must be float32, got float64"):
        load(path)
