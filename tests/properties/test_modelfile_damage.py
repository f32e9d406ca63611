"""Damaged model files: every truncation is refused, and no changed byte is ever believed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alternant import modelfile
from alternant.errors import ModelFileError

ARRAYS = {"table": np.arange(6, dtype=np.float32).reshape(2, 3), "ids": np.array([5, 9], np.int64)}
CONTENT = {"mean": 3.25, "stopped": "tol"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    modelfile.write(folder / "whole.safetensors", ARRAYS, CONTENT)
    return folder


def test_every_truncation_is_refused(folder):
    """Was seen to fail with the check of the file's end left out."""
    raw = (folder / "whole.safetensors").read_bytes()
    path = folder / "short.safetensors"
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        with pytest.raises(ModelFileError, match=r"truncated|is not a model file"):
            modelfile.read(path)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_changed_byte_is_refused_or_harmless(folder, data):
    """Was seen to fail with either checksum left out. Harmless: a blank of the header changed."""
    raw = bytearray((folder / "whole.safetensors").read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    path = folder / "changed.safetensors"
    path.write_bytes(raw)
    try:
        arrays, content = modelfile.read(path)
    except ModelFileError:
        return
    assert content == CONTENT
    assert arrays.keys() == ARRAYS.keys()
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda name: not name.startswith("_")
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    seed=st.integers(0, 2**32 - 1),
    shapes=st.dictionaries(names, st.lists(st.integers(0, 9), max_size=3), max_size=5),
    content=st.dictionaries(st.text(max_size=5), values, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_reading_undoes_writing(folder, seed, shapes, content):
    """Was seen to fail with the padding of the data section left out."""
    rng = np.random.default_rng(seed)
    dtypes = [np.float64, np.float32, np.int64, np.int32, np.uint64, np.uint8]
    arrays = {name: rng.integers(0, 99, shape).astype(rng.choice(dtypes)) for name, shape in shapes.items()}
    path = folder / "any.safetensors"
    modelfile.write(path, arrays, content)
    got, got_content = modelfile.read(path)
    assert got_content == content
    assert got.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(got[name], array)
        assert got[name].dtype == array.dtype
        assert got[name].ctypes.data % 64 == 0 or array.size == 0
