"""What columns of users, items, values and times are usually called. It must not know tables or files."""

from collections.abc import Iterable, Mapping

# In the spelling of plain(); earlier names win.
_USUAL = {
    "user": """userid user uid username userindex visitorid customerid customer memberid reviewerid accountid
        playerid listenerid readerid personid person""",
    "item": """itemid item iid movieid movie filmid film productid product trackid track songid song artistid
        artist albumid bookid book isbn parentasin asin articleid videoid gameid appid animeid jokeid recipeid
        businessid""",
    "value": "rating value score stars overall rate count counts plays playcount listens nplays hours",
    "time": "timestamp time datetime date ts unixtime unixreviewtime createdat ratedat eventtime reviewtime",
}
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {part: tuple(names.split()) for part, names in _USUAL.items()}


def plain(name: str) -> str:
    """Return the letters and digits of a column name in lower case: ``User_ID`` is ``userid``."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def closest(part: str, names: Iterable[object]) -> str | None:
    """Return the one of `names` that is usual for `part` ("user", "item", …), or None.

    Examples
    --------
    >>> closest("user", ["movieId", "userId"])
    'userId'
    """
    by_plain_name = {plain(name): name for name in names if isinstance(name, str)}
    return next((by_plain_name[usual] for usual in USUAL_NAMES[part] if usual in by_plain_name), None)
