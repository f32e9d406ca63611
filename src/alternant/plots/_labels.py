"""Where titles go beside their points so that none lies on another. Knows pixels and text only."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

_LONGEST = 30
_GAP = 6.0
_SPACE = 2.0
_NARROW = frozenset("!'|,.:;ijlI[]()/ ftr-`")
_WIDE = frozenset("mwMW@%")

Align = Literal["left", "right", "center"]


@dataclass(frozen=True)
class Label:
    """A title that found room: of which point, where its middle line is, and how it is aligned there."""

    point: int
    x: float
    y: float
    align: Align


def shortened(text: str) -> str:
    """Return a title in one line of at most thirty characters.

    Examples
    --------
    >>> shortened("The Good, the Bad and the Ugly (1966)")
    'The Good, the Bad and the Ugl…'
    """
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def text_width(text: str, font_size: float) -> float:
    """Return about how wide a text is in Arial, rather too much than too little, in pixels.

    Examples
    --------
    >>> text_width("ill", 10) < text_width("WWW", 10)
    True
    """
    return font_size * sum(_letter(letter) for letter in text)


def _letter(letter: str) -> float:
    if letter in _NARROW:
        return 0.36
    if letter in _WIDE:
        return 0.96
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    return 0.76 if letter.isupper() else 0.59


def place(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    texts: Sequence[str],
    *,
    width: float,
    height: float,
    font_size: float,
) -> list[Label]:
    """Place texts beside their points, the first ones first; what finds no room is left out.

    A text goes right, left, above or below its point or to a corner, where it lies within the frame, and on
    no other text and no point.

    Parameters
    ----------
    x, y : float64, shape (n,), pixels from the left and from the top
    texts : n texts
    width, height : of the frame, pixels
    font_size : pixels
    """
    taken = np.stack([x - 4, y - 4, x + 4, y + 4], axis=1)  # the points
    labels: list[Label] = []
    tall = 1.15 * font_size
    for point, text in enumerate(texts):
        if not text:
            continue
        wide = text_width(text, font_size)
        for dx, dy, align in _PLACES:
            at_x, at_y = x[point] + dx * _GAP, y[point] + dy * (_GAP + tall / 2)
            left = at_x - {"left": 0.0, "right": wide, "center": wide / 2}[align]
            box = left - _SPACE, at_y - tall / 2, left + wide + _SPACE, at_y + tall / 2
            if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height:
                continue
            meets = (
                (taken[:, 0] < box[2])
                & (taken[:, 2] > box[0])
                & (taken[:, 1] < box[3])
                & (taken[:, 3] > box[1])
            )
            meets[point] = False
            if not meets.any():
                taken = np.concatenate([taken, [box]])
                labels.append(Label(point, float(at_x), float(at_y), align))
                break
    return labels


_PLACES: tuple[tuple[float, float, Align], ...] = (
    (1.0, 0.0, "left"),
    (-1.0, 0.0, "right"),
    (0.0, -1.0, "center"),
    (0.0, 1.0, "center"),
    (0.7, -0.7, "left"),
    (0.7, 0.7, "left"),
    (-0.7, -0.7, "right"),
    (-0.7, 0.7, "right"),
)
