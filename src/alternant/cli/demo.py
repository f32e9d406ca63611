"""``alternant demo``: what the library does, shown on data that it makes up, without files or network."""

import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from alternant.cli import console, demo_catalogue, demo_example
from alternant.cli.options import whole
from alternant.cli.progress import without_sweep_lines
from alternant.errors import DataError

WIDEST = 100


def demo(
    *,
    seed: Annotated[int, Parameter(converter=whole, help="Another seed makes another catalogue.")] = 0,
    save: Annotated[
        Path | None,
        Parameter(
            metavar="DIR",
            help="Write the catalogue, the titles and the model into this folder, to go on with.",
        ),
    ] = None,
) -> None:
    """Show alternating least squares on a 4 × 4 table and on a generated catalogue of films.

    Takes a few seconds and needs neither files nor network.
    """
    if seed < 0:
        raise DataError(f"seed must be 0 or more, got {seed!r}")
    if save is not None and save.exists() and not save.is_dir():
        raise DataError(f"expected a folder to save into, got the file {str(save)!r}")
    began = time.perf_counter()
    shown_on = console.out(width=min(console.out().width, WIDEST))
    with without_sweep_lines():
        heading(shown_on, "1 · Four users, four films")
        demo_example.show(shown_on)
        heading(shown_on, "2 · A catalogue of films")
        demo_catalogue.show(shown_on, seed=seed, save=save)
    shown_on.print(f"All this took {time.perf_counter() - began:.1f} seconds.", style="dim")


def heading(shown_on: Console, text: str) -> None:
    """Print a heading over the whole width."""
    shown_on.print()
    shown_on.rule(Text(text, style="bold"), align="left", style="cyan")
    shown_on.print()
