import hashlib
import json
import os
import stat
import sys
import threading

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from alternant import modelfile
from alternant.errors import DataError, ModelFileError

ARRAYS = {
    "table": np.arange(15, dtype=np.float32).reshape(5, 3),
    "counts": np.array([3, 1], np.int64),
    "bytes": np.frombuffer(b"abc", np.uint8),
    "empty": np.empty((0, 4), np.float64),
    "codes": np.array([-1, 7], np.int32),
    "hashes": np.array([2**64 - 1], np.uint64),
}
CONTENT = {"name": "Amélie \N{GRINNING FACE}", "mean": 3.1, "trace": [[1, "users", 0.5]], "nothing": None}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.safetensors"
    modelfile.write(path, ARRAYS, CONTENT)
    return path


def rewritten(file, change, *, data=None, seal=True):
    """Write `file` anew with a changed header (and the right header checksum when `seal`)."""
    raw = file.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    change(header)
    if seal:
        header["__metadata__"].pop("header_sha256", None)
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
        header["__metadata__"]["header_sha256"] = digest
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + (raw[8 + length :] if data is None else data))
    return file


def test_what_is_read_is_what_was_written(file):
    arrays, content = modelfile.read(file)
    assert content == CONTENT
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
        assert not arrays[name].flags.writeable


def test_arrays_start_on_multiples_of_64_bytes(file):
    raw = file.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    starts = [8 + length + header[name]["data_offsets"][0] for name in ARRAYS]
    assert [start % 64 for start in starts] == [0] * len(ARRAYS)
    assert all(modelfile.read(file)[0][name].ctypes.data % 64 == 0 for name in ARRAYS)


def test_the_official_reader_opens_it(file):
    official = load_file(file)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(official[name], array)


def test_layouts_and_byte_orders_are_converted(tmp_path):
    path = tmp_path / "m.safetensors"
    array = np.arange(12, dtype=">f4").reshape(3, 4).T
    modelfile.write(path, {"a": array, "scalar": np.array(5, np.int64)}, {})
    np.testing.assert_array_equal(modelfile.read(path)[0]["a"], array)
    assert modelfile.read(path)[0]["scalar"].shape == ()


def test_an_empty_model_can_be_stored(tmp_path):
    path = tmp_path / "m.safetensors"
    modelfile.write(path, {}, {})
    assert modelfile.read(path) == ({}, {})
    assert load_file(path) == {}


@pytest.mark.parametrize(
    ("arrays", "metadata", "message"),
    [
        ({"a": np.array(["x"])}, {}, r"array 'a' must be one of float64, .*got <U1"),
        ({"a": np.array([1 + 1j])}, {}, "got complex128"),
        ({"_padding.1": np.zeros(1)}, {}, "cannot be named '_padding.1'"),
        ({"__metadata__": np.zeros(1)}, {}, "cannot be named '__metadata__'"),
        ({}, {"a": float("nan")}, "must be plain finite JSON"),
        ({}, {"a": {1, 2}}, "must be plain finite JSON: Object of type set"),
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path, arrays, metadata, message):
    with pytest.raises(DataError, match=message):
        modelfile.write(tmp_path / "m.safetensors", arrays, metadata)
    assert os.listdir(tmp_path) == []


def test_the_name_must_fit(tmp_path):
    with pytest.raises(DataError, match=r"a model file ends in '.safetensors', got '.*m.pkl'"):
        modelfile.write(tmp_path / "m.pkl", {}, {})


def test_a_link_is_followed_and_permissions_stay(tmp_path, file):
    file.chmod(0o600)
    link = tmp_path / "latest.safetensors"
    link.symlink_to(file)
    modelfile.write(link, {"new": np.zeros(1)}, {})
    assert link.is_symlink()
    assert list(modelfile.read(file)[0]) == ["new"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_name_that_was_given_counts_not_that_of_the_link_s_target(tmp_path):
    link = tmp_path / "latest.safetensors"
    link.symlink_to("blob-17")
    modelfile.write(link, {"new": np.zeros(1)}, {})
    assert list(modelfile.read(tmp_path / "blob-17")[0]) == ["new"]


def test_a_pipe_is_no_model_file(tmp_path):
    """Seen to have "0 bytes"; a memory map needs a file."""
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    with pytest.raises(ModelFileError, match=r"pipe\.safetensors is not a model file but a pipe or a device"):
        modelfile.read(pipe)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="No such file"):
        modelfile.read(tmp_path / "none.safetensors")


def test_a_reader_keeps_what_it_opened_while_the_file_is_replaced(file):
    arrays, _ = modelfile.read(file)
    modelfile.write(file, {"table": np.zeros(3)}, {})
    np.testing.assert_array_equal(arrays["table"], ARRAYS["table"])


def test_two_writers_leave_one_whole_file(tmp_path):
    path = tmp_path / "m.safetensors"
    errors = []

    def save(value):
        try:
            for _ in range(20):
                modelfile.write(path, {"a": np.full(1000, value)}, {"value": value})
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=save, args=(float(v),)) for v in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    arrays, content = modelfile.read(path)
    assert set(arrays["a"]) == {content["value"]}
    assert os.listdir(tmp_path) == ["m.safetensors"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "it has 0 bytes"),
        (b"1234567", "it has 7 bytes"),
        (b"\x80\x04\x95" + bytes(100), "not a model file but a pickle"),
        (b"PK\x03\x04" + bytes(100), "not a model file but a zip archive"),
        (b"\x1f\x8b\x08" + bytes(100), "not a model file but a gzip file"),
        (b"PAR1" + bytes(100), "not a model file but a Parquet file"),
        (b"user,item,rating\n1,2,3\n", "does not start as a safetensors file does"),
        (b"\xff" * 8, "does not start as a safetensors file does"),
        ((1000).to_bytes(8, "little") + b"{}", r"truncated: its header ends at byte 1,008, the file at 10"),
        ((2).to_bytes(8, "little") + b"[]", "header must be a JSON object, got list"),
        ((2).to_bytes(8, "little") + b"{}", "not one that alternant wrote"),
        ((2).to_bytes(8, "little") + b"{x", "header is not valid JSON"),
        ((2).to_bytes(8, "little") + b"\xff\xff", "header is not valid JSON"),
        ((100_000).to_bytes(8, "little") + b"[" * 100_000, "header is not valid JSON"),
        ((15).to_bytes(8, "little") + b'{"a": 1,"a": 2}', r"not valid JSON \(a key occurs twice\)"),
        ((7006).to_bytes(8, "little") + b'{"a": %s}' % (b"9" * 7000), "header is not valid JSON"),
    ],
)
def test_foreign_files_are_named(tmp_path, raw, message):
    path = tmp_path / "m.safetensors"
    path.write_bytes(raw)
    with pytest.raises(ModelFileError, match=message):
        modelfile.read(path)


def test_a_file_of_another_safetensors_writer(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, path, metadata={"format": "pt"})
    with pytest.raises(ModelFileError, match="is a safetensors file, but not one that alternant wrote"):
        modelfile.read(path)


def test_a_newer_format_names_the_remedy(file):
    rewritten(file, lambda header: header["__metadata__"].update(format_version="1"))
    with pytest.raises(
        ModelFileError, match=r"has format version 1, this alternant reads up to 0: pip install --up"
    ):
        modelfile.read(file)


def test_data_without_an_end(file):
    raw = file.read_bytes()
    file.write_bytes(raw + b"\0")
    with pytest.raises(ModelFileError, match="1 bytes follow the last array"):
        modelfile.read(file)


def change_entry(name, **fields):
    return lambda header: header[name].update(fields)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_entry("table", dtype="F16"), "array 'table' has the unknown dtype 'F16'"),
        (change_entry("table", dtype=["F32"]), r"array 'table' has the unknown dtype \['F32'\]"),
        (change_entry("table", shape=[5, -3]), r"array 'table' must have a shape, got \[5, -3\]"),
        (change_entry("table", shape=[5, 3.0]), r"array 'table' must have a shape, got \[5, 3.0\]"),
        (change_entry("table", shape=[5, 2**62]), r"array 'table' of shape \[5, 4611686018427387904\] needs"),
        (change_entry("table", shape=[2**33, 2**33, 0]), "needs 0 bytes, its offsets span 60"),
        (change_entry("table", data_offsets=[0]), r"array 'table' must have two data offsets, got \[0\]"),
        (change_entry("table", data_offsets=[0, True]), r"array 'table' must have two data offsets"),
        (change_entry("counts", data_offsets=[0, 16]), "should start at byte"),
        (change_entry("hashes", data_offsets=[2**60, 2**60 + 8]), "should start at byte"),
        (change_entry("empty", shape=[2**33, 2**33, 0]), r"of shape \[8589934592, 8589934592, 0\] cannot be"),
        (change_entry("bytes", shape=[3] + [1] * 99), "cannot be: maximum supported dimension"),
        (lambda header: header.update(table=5), r"array 'table' must have two data offsets, got None"),
        (lambda header: header.pop("counts"), "should start at byte"),
        (
            lambda header: header["__metadata__"].update(format_version="x"),
            "format_version must be a number, got 'x'",
        ),
        (lambda header: header["__metadata__"].update(content="{"), "its content is not valid JSON"),
        (
            lambda header: header["__metadata__"].update(content="[]"),
            "its content or its checksum is missing",
        ),
        (lambda header: header["__metadata__"].pop("content"), "its content is not valid JSON"),
        (lambda header: header["__metadata__"].pop("sha256"), "its content or its checksum is missing"),
        (lambda header: header["__metadata__"].update(sha256="0" * 64), "data does not match its checksum"),
    ],
)
def test_a_header_that_lies_is_refused(file, change, message):
    with pytest.raises(ModelFileError, match=message):
        modelfile.read(rewritten(file, change))


def test_a_huge_array_in_the_header_allocates_nothing(file):
    """2**40 floats: refused by comparing with the size of the file."""

    def change(header):
        header["hashes"] = {"dtype": "U64", "shape": [2**40], "data_offsets": [256, 256 + 2**43]}

    with pytest.raises(ModelFileError, match=r"truncated: array 'hashes' ends at byte 8,796,0"):
        modelfile.read(rewritten(file, change))


def test_a_header_changed_by_hand_is_noticed(file):
    rewritten(file, lambda header: header["__metadata__"].update(content="{}"), seal=False)
    with pytest.raises(ModelFileError, match="header does not match its checksum"):
        modelfile.read(file)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_folder_that_cannot_be_written_leaves_the_file(tmp_path, file, monkeypatch):
    def refuse(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="no space left"):
        modelfile.write(file, {"new": np.zeros(1)}, {})
    monkeypatch.undo()
    assert list(modelfile.read(file)[0]) == list(ARRAYS)
    assert os.listdir(tmp_path) == ["model.safetensors"]
