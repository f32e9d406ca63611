"""Properties of IdMap, for any labels."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from alternant.ids import IdMap

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.builds(str.__add__, st.sampled_from(["", "a common beginning "]), st.text(CHARACTERS, max_size=20))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
LABELS = st.lists(TEXT, min_size=1) | st.lists(INTEGERS, min_size=1)


@given(LABELS)
def test_codes_decode_to_the_labels_and_positions_are_sorted(labels):
    """Seen to fail when labels are sorted by their first eight bytes only."""
    ids, codes = IdMap.from_labels(labels)
    assert ids.decode(codes).tolist() == labels
    assert ids.labels.tolist() == sorted(set(labels))  # Python sorts strings by code points too
    assert np.array_equal(ids.encode(labels), codes)


@given(LABELS)
def test_stored_maps_come_back_the_same(labels):
    """Seen to fail when one bit of the stored bytes is flipped."""
    ids, _ = IdMap.from_labels(labels)
    again = IdMap.from_arrays({name: array.copy() for name, array in ids.to_arrays().items()})
    assert again == ids
    assert np.array_equal(again.hashes, ids.hashes)


@given(st.lists(TEXT, min_size=1), st.lists(TEXT))
def test_hashes_belong_to_labels_not_to_positions(labels, more):
    """Seen to fail when the hash mixes in the position."""
    ids, _ = IdMap.from_labels(labels)
    both, _ = IdMap.from_labels(labels + more)
    assert np.array_equal(both.hashes[both.encode(ids.labels)], ids.hashes)
    grown = ids.grown(more)
    assert np.array_equal(grown.hashes[: len(ids)], ids.hashes)
    assert sorted(grown.labels) == both.labels.tolist()


@given(st.lists(TEXT), st.integers(0, 5), st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]))
def test_arrow_layouts_and_chunks_do_not_matter(labels, cut, kind):
    """Seen to fail when a slice's offset is left out."""
    array = pa.array(labels, type=kind)
    cut = min(cut, len(labels))
    chunked = pa.chunked_array([array.slice(0, cut), array.slice(cut)], type=kind)
    expected, codes = (
        IdMap.from_labels(np.array(labels, dtype=object)) if labels else IdMap.from_labels(array)
    )
    ids, chunk_codes = IdMap.from_labels(chunked)
    assert ids == expected
    assert np.array_equal(codes, chunk_codes)


@given(LABELS, LABELS)
def test_encode_marks_exactly_the_unknown(known, asked):
    """Seen to fail when the last label is always found at position 0."""
    ids, _ = IdMap.from_labels(known)
    if isinstance(known[0], str) != isinstance(asked[0], str):
        return
    assert (ids.encode(asked, unknown="mark") >= 0).tolist() == [label in set(known) for label in asked]
