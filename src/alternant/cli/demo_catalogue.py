"""The second half of the demo: a generated catalogue, judged on ratings that were held out."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from alternant import metrics
from alternant.als import ExplicitALS
from alternant.cli import output
from alternant.cli.progress import follow
from alternant.interactions import Interactions
from alternant.model import FactorModel
from alternant.splitting import random_split
from alternant.synthetic import Catalogue, catalogue

_LIST = 10
