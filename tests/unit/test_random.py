"""The counter-based generator against a plain one, itself checked with published test vectors."""

import numpy as np
import pytest

from alternant.kernels.random import Purpose, Side, standard_normal


def philox(counter, key):
    """Philox4x32-10 in Python integers."""
    mask = 2**32 - 1
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k0, b & mask, (a >> 32) ^ c[3] ^ k1, a & mask]
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    return c


def test_the_plain_generator_gives_the_published_vectors():
    """Known answers of Random123 (doi:10.1145/2063384.2063405)."""
    ones = 2**32 - 1
    assert philox([0] * 4, (0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox([ones] * 4, (ones, ones)) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


def test_normals_are_those_of_the_plain_generator():
    ids = np.array([0, 7, 2**64 - 1], np.uint64)
    seed, sweep = 2**63 + 12345, 9
    found = standard_normal(
        ids, 7, seed=seed, purpose=Purpose.START, side=Side.ITEMS, sweep=sweep, n_threads=1
    )
    stream = sweep << 8 | Purpose.START << 2 | Side.ITEMS
    for row, label in enumerate(map(int, ids)):
        expected = []
        for block in range(2):
            words = philox([label & 0xFFFFFFFF, label >> 32, block, stream], (seed & 0xFFFFFFFF, seed >> 32))
            uniform = [(word + 1) / 2**32 for word in words]
            for a, b in (uniform[:2], uniform[2:]):
                radius = np.sqrt(-2 * np.log(a))
                expected += [radius * np.cos(2 * np.pi * b), radius * np.sin(2 * np.pi * b)]
        assert found[row] == pytest.approx(expected[:7], rel=1e-6, abs=1e-7)


def draw(ids, n_columns=64, **changed):
    settings = {
        "seed": 0,
        "purpose": Purpose.START,
        "side": Side.ITEMS,
        "sweep": 0,
        "n_threads": 1,
        **changed,
    }
    return standard_normal(np.asarray(ids, np.uint64), n_columns, **settings)


def test_moments():
    sample = draw(np.arange(4000)).astype(float)
    n = sample.size
    assert abs(sample.mean()) < 4 / np.sqrt(n)
    assert abs(sample.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs((sample**4).mean() - 3) < 4 * np.sqrt(96 / n)


def test_a_row_depends_on_its_id_only():
    whole = draw(np.arange(2000), n_threads=3)
    assert np.array_equal(draw([1500, 3]), whole[[1500, 3]])


@pytest.mark.parametrize(
    "changed", [{"seed": 1}, {"purpose": Purpose.SPECTRAL}, {"side": Side.USERS}, {"sweep": 1}]
)
def test_streams_differ(changed):
    assert not np.isin(draw([5], **changed), draw([5])).any()


def test_fewer_columns_are_the_first_ones():
    assert np.array_equal(draw([5], 6), draw([5], 64)[:, :6])
