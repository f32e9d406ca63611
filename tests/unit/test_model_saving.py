import numpy as np
import pytest

from alternant import modelfile
from alternant.errors import DataError, ModelFileError
from alternant.model import load
from small_models import named_model


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.safetensors"
    named_model().save(path)
    return path


def test_factors_are_mapped_not_read(path):
    model = load(path)
    assert not model.user_table.flags.owndata
    assert not model.user_table.flags.writeable


def test_paths_may_be_text(path):
    assert load(str(path)).n_users == 3
    named_model().save(str(path))


def test_the_name_must_fit(tmp_path):
    with pytest.raises(DataError, match=r"a model file ends in '.safetensors', got '.*/model'"):
        named_model().save(tmp_path / "model")


def test_another_kind_of_content_is_refused(path):
    modelfile.write(path, {}, {"kind": "Checkpoint"})
    with pytest.raises(ModelFileError, match="holds no factor model but 'Checkpoint'"):
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda arrays, content: arrays.pop("item_table"),
            "does not hold a whole model: 'item_table' is missing",
        ),
        (lambda arrays, content: content.pop("stopped"), "'stopped' is missing"),
        (lambda arrays, content: content["problem"].pop("mean"), "the objective lacks a field"),
        (
            lambda arrays, content: content["problem"].update(kind="new"),
            "objective kind must be one of 'explicit', 'implicit', 'sampled', got 'new'",
        ),
        (
            lambda arrays, content: content.update(trace=[[1]]),
            "does not hold a whole model: .*missing 3 required",
        ),
        (lambda arrays, content: content.update(settings=[[1]]), r"settings cannot be \[\[1\]\]"),
        (lambda arrays, content: content.update(stopped=True), "stopped cannot be True"),
        (lambda arrays, content: content.update(value_range=[1]), r"value_range cannot be \(1,\)"),
        (lambda arrays, content: content["problem"].update(mean="x"), "mean cannot be 'x'"),
        (lambda arrays, content: arrays.update(omega=np.zeros(9)), r"omega must be float64 of shape \(2,\)"),
        (
            lambda arrays, content: arrays.update({"history.offsets": np.array([0, 2, 99, 3])}),
            "does not hold a whole model",
        ),
        (
            lambda arrays, content: arrays.update({"history.indices": np.array([0, 7, 0], np.int32)}),
            "does not hold a whole model",
        ),
        (
            lambda arrays, content: arrays.update({"history.offsets": np.array([0, 2, 3])}),
            "its history has 2 users, its ids 3",
        ),
        (
            lambda arrays, content: arrays.update({"history.values": np.zeros(3)}),
            "the values of its history must be float32, got float64",
        ),
        (
            lambda arrays, content: arrays.update({"user_ids.bytes": np.zeros(3, np.uint8)}),
            "the offsets of stored ids must rise",
        ),
        (lambda arrays, content: arrays.pop("user_ids.bytes"), "ids must be stored as labels, or as offsets"),
    ],
)
def test_a_file_with_a_part_missing_or_wrong(path, change, message):
    """Checksums hold here: the file was written so."""
    arrays, content = modelfile.read(path)
    change(arrays, content)
    modelfile.write(path, arrays, content)
    with pytest.raises(ModelFileError, match=message):
        load(path)


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no model file; make one with model\.save or alternant fit"):
        load(tmp_path / "none.safetensors")
