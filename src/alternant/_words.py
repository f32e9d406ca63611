"""Numbers with their words, for messages."""


def counted(n: int, word: str) -> str:
    """Return e.g. ``1 user`` or ``1,682 items``.

    Examples
    --------
    >>> counted(1, "entry"), counted(2, "entry"), counted(1000, "user")
    ('1 entry', '2 entries', '1,000 users')
    """
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{n:,} {word if n == 1 else plural}"
