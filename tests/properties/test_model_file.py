"""save∘load is the identity, for models of every make."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alternant.als import ExplicitALS
from alternant.interactions import EntryRows, Interactions
from alternant.model import load
from small_models import random_history, random_model


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("models") / "model.safetensors"


def assert_same(a, b):
    """Compare two values field by field, arrays to the bit."""
    assert type(a) is type(b)
    if dataclasses.is_dataclass(a):
        for field in dataclasses.fields(a):
            assert_same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tolist() == b.tolist() if a.dtype == object else a.tobytes() == b.tobytes()
    elif isinstance(a, tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


@given(
    seed=st.integers(0, 2**32 - 1),
    n_users=st.integers(1, 9),
    n_items=st.integers(1, 9),
    n_factors=st.integers(1, 5),
    biases=st.booleans(),
    strings=st.booleans(),
    keep_history=st.booleans(),
    columns=st.sets(st.sampled_from(["weights", "times"])),
)
@settings(max_examples=80, deadline=None)
def test_load_undoes_save(path, seed, n_users, n_items, n_factors, biases, strings, keep_history, columns):
    """Was seen to fail with times left out of the file."""
    rng = np.random.default_rng(seed)
    entries = random_history(n_users, n_items, seed=seed, strings=strings).entries()
    labels = np.array(["é", "", "\N{GRINNING FACE}", "a", "b", "ab", "ß", "aé", " "], object)
    n = len(entries.user_index)
    history = Interactions.from_arrays(
        labels[entries.user_index] if strings else entries.user_index - 5,
        entries.item_index.astype(np.int64) * 10**15,
        entries.values,
        weights=rng.random(n) + 0.1 if "weights" in columns else None,
        times=rng.integers(-(2**62), 2**62, n) if "times" in columns else None,
    )
    model = random_model(history, n_factors=n_factors, biases=biases, seed=seed)
    if not keep_history:
        model = dataclasses.replace(model, history=None, value_range=None, trace=())
    model.save(path)
    assert_same(load(path), model)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_a_fitted_model_answers_the_same_after_loading(path, seed):
    """Was seen to fail with the tables swapped in `load`."""
    history = random_history(12, 12, seed=seed)
    model = ExplicitALS(n_factors=3, n_sweeps=2, seed=seed).fit(history)
    model.save(path)
    loaded = load(path)
    assert_same(loaded, model)
    assert repr(loaded) == repr(model)
    assert_same(loaded.recommend([0, 5]), model.recommend([0, 5]))
    assert_same(loaded.similar_items(3), model.similar_items(3))
    assert_same(loaded.fold_in({3: 4.5}).table, model.fold_in({3: 4.5}).table)
    assert isinstance(loaded.history.by_item, EntryRows)
