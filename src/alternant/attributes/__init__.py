"""Attributes: what is known of users or items beside their entries, as sparse rows of features.

``AttributeEncoding.fit`` looks at a table and says what each of its columns becomes; ``encode`` makes the
rows of any table by that, so that those of new ids are encoded as the first ones were. This layer must not
know models: what features are good for is decided above.
"""

from alternant.attributes._choices import AttributeTable
from alternant.attributes._column import AttributeColumn, AttributeKind
from alternant.attributes._encoding import AttributeEncoding
from alternant.attributes._matrix import AttributeMatrix
from alternant.attributes._table import id_column_of

__all__ = [
    "AttributeColumn",
    "AttributeEncoding",
    "AttributeKind",
    "AttributeMatrix",
    "AttributeTable",
    "id_column_of",
]
