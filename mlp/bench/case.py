"""What is timed: one epoch of Fashion-MNIST, in cases that differ in size and penalty."""

from typing import NamedTuple

VALID = 6000  # of the 60,000 examples; the others are an epoch
N, D, M = 60_000 - VALID, 784, 10  # examples, inputs and classes


class Case(NamedTuple):
    """What is timed: minibatches of K, hidden units, and whether there is an elastic net."""

    K: int
    d_h: int
    elastic: bool


CASES = [
    Case(K, d_h, elastic)
    for K in (10, 100, 1000)
    for d_h in (32, 128, 512, 1024)
    for elastic in (False, True)
]
