"""What a fit is given: interactions, whose ids are grown by those of attributes, and these, encoded."""

from dataclasses import dataclass
from typing import Any, Literal

from alternant.attributes import AttributeEncoding
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions, check_interactions


@dataclass(frozen=True, eq=False)
class SideAttributes:
    """The attributes of one side, encoded: `features` is EntryRows of shape (n_ids, n_features)."""

    encoding: AttributeEncoding
    features: EntryRows


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The interactions, their ids grown by those that only attributes know, and the attributes."""

    interactions: Interactions
    users: SideAttributes | None
    items: SideAttributes | None


def check_not_empty(interactions: Interactions) -> None:
    """Refuse what cannot be fitted."""
    check_interactions(interactions)
    if interactions.n_entries == 0:
        raise DataError("interactions must not be empty: there is nothing to fit")


def with_attributes(interactions: Interactions, user_attributes: Any, item_attributes: Any) -> Catalogue:
    """Encode attributes; ids that only they know join the interactions' ids, without entries."""
    users = _encoding(user_attributes, "user", interactions.user_ids)
    items = _encoding(item_attributes, "item", interactions.item_ids)
    grown = interactions.grown(
        user_labels=() if users is None else users.new_ids(user_attributes, what="user"),
        item_labels=() if items is None else items.new_ids(item_attributes, what="item"),
    )
    return Catalogue(
        grown,
        None if users is None else _encoded(users, user_attributes, "user", grown.user_ids),
        None if items is None else _encoded(items, item_attributes, "item", grown.item_ids),
    )


def _encoding(attributes: Any, what: Literal["user", "item"], ids: IdMap) -> AttributeEncoding | None:
    return None if attributes is None else AttributeEncoding.fit(attributes, what=what, ids=ids)


def encoding_of(attributes: SideAttributes | None) -> AttributeEncoding | None:
    return None if attributes is None else attributes.encoding


def _encoded(
    encoding: AttributeEncoding, attributes: Any, what: Literal["user", "item"], ids: IdMap
) -> SideAttributes:
    return SideAttributes(encoding, encoding.encode(attributes, ids, what=what))
