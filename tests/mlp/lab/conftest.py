"""A small search file, which the tests of searches share."""

from typing import Any

import yaml

SEARCH = """
data: circles
valid: 200
seeds: [0]
epochs: 9
K: 50
d_h: [2, 5, 20]
eta: {low: 0.05, high: 2, log: true}
search: {method: random, trials: 9, seed: 1, first: 1, factor: 3}
"""


def altered(**keys: Any) -> str:
    """The text of SEARCH with some keys added or changed."""
    return yaml.safe_dump(yaml.safe_load(SEARCH) | keys)
