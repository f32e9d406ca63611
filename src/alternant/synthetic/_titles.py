"""Invented film titles: words by genre, combined. Titles that repeat become sequels. Imports numpy only."""

from collections.abc import Sequence

import numpy as np

_ADJECTIVES = {
    "space": "Silent Orbital Distant Weightless Stellar Frozen Lunar Seventh Infinite Drifting",
    "western": "Dusty Lonesome Wild Lawless Blazing Restless Stubborn Sunburnt Crooked Nameless",
    "crime": "Cold Perfect Missing Hidden Guilty Borrowed Double Bitter Unsigned Quiet",
    "romance": "Tender Sudden Second Secret Endless Rainy Faithful Foolish Gentle Unspoken",
    "comedy": "Accidental Clumsy Awkward Reluctant Cheerful Hopeless Noisy Overdue Honest Upside-Down",
    "horror": "Haunted Whispering Hollow Crimson Sleepless Rotten Buried Pale Locked Crawling",
    "fantasy": "Enchanted Ancient Golden Forgotten Shimmering Moonlit Cursed Last Winged Hundredth",
    "sea": "Salty Stormy Sunken Deep Northern Drowned Tidal Uncharted Windward Blue",
}
_NOUNS = {
    "space": "Orbit Starship Nebula Astronaut Comet Galaxy Airlock Planet Satellite Eclipse",
    "western": "Sheriff Saloon Canyon Outlaw Stagecoach Prairie Rancher Gunsmith Mustang Railroad",
    "crime": "Detective Alibi Heist Witness Informant Verdict Ransom Safecracker Fingerprint Precinct",
    "romance": "Sweetheart Wedding Letter Valentine Promise Bouquet Honeymoon Kiss Stranger Waltz",
    "comedy": "Plumber Landlord Picnic Mother-in-Law Barber Referee Roommate Waiter Intern Birthday",
    "horror": "Cellar Scarecrow Cemetery Mirror Nightmare Crypt Puppet Asylum Ghost Attic",
    "fantasy": "Dragon Wizard Kingdom Unicorn Amulet Prophecy Sorceress Griffin Throne Goblin",
    "sea": "Lighthouse Captain Harbour Whale Shipwreck Mermaid Lagoon Submarine Anchor Tide",
}
GENRES = tuple(_NOUNS)
_SHAPES = (
    "The {adjective} {noun}",
    "{adjective} {noun}",
    "The {noun} of the {other}",
    "A {noun} for the {other}",
    "{noun} and {other}",
    "My {adjective} {noun}",
    "Return of the {adjective} {noun}",
)
_NUMERALS = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def invent(genres: Sequence[tuple[str, str]], rng: np.random.Generator) -> list[str]:
    """Return one title per film, all distinct: the noun tells the main genre, the other word the second."""
    used: dict[str, int] = {}
    titles = []
    for main, second in genres:
        nouns, others, adjectives = _NOUNS[main].split(), _NOUNS[second].split(), _ADJECTIVES[second].split()
        shape, noun, other, adjective = (int(pick) for pick in rng.integers(0, (len(_SHAPES), 10, 10, 10)))
        title = _SHAPES[shape].format(noun=nouns[noun], other=others[other], adjective=adjectives[adjective])
        if title.startswith("A ") and title[2] in "AEIOU":
            title = f"An {title[2:]}"
        used[title] = used.get(title, 0) + 1
        titles.append(title if used[title] == 1 else f"{title} {_roman(used[title])}")
    return titles


def _roman(number: int) -> str:
    text = ""
    for value, numeral in _NUMERALS:
        text += numeral * (number // value)
        number %= value
    return text
