"""What is written to a text file is read back: any ids, any of the delimiters.

Planted fault: taking for an integer whatever casts to one loses ``007``.
"""

import csv
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from alternant.reading import read

# Spaces around an id are dropped, and control characters do not occur in ids that people type.
LABELS = st.one_of(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=8).filter(
        lambda text: text == text.strip(" ") and text
    ),
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.from_regex(r"[+-]?[0-9]{1,5}(\.[0-9])?", fullmatch=True),
)
COLUMNS = st.lists(LABELS, min_size=1, max_size=6, unique=True)


def labels_of(texts: list[str]) -> list[int] | list[str]:
    """Return what the documentation says: integers where every text is a plain integer, else the texts."""
    if all(is_plain_integer(text) for text in texts):
        return sorted(map(int, texts))
    return sorted(texts)


def is_plain_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return (
        digits.isascii() and digits.isdecimal() and str(int(text)) == text and -(2**63) <= int(text) < 2**63
    )


@settings(deadline=None, max_examples=60)
@given(users=COLUMNS, items=COLUMNS, delimiter=st.sampled_from([",", ";", "\t", "|"]))
def test_ids_survive(users: list[str], items: list[str], delimiter: str) -> None:
    rows = [(user, item, 0.5 + (u + i) % 9) for u, user in enumerate(users) for i, item in enumerate(items)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, delimiter=delimiter)
            writer.writerow(["user", "item", "rating"])
            writer.writerows(rows)
        interactions = read(path)
    assert interactions.user_ids.labels.tolist() == labels_of(users)
    assert interactions.item_ids.labels.tolist() == labels_of(items)
    assert interactions.n_entries == len(rows)
    assert float(interactions.entries().values.sum()) == sum(value for *_, value in rows)
