r"""Proves steps of the mathematics for all sizes and all values: a small algebra of indexed sums.

An expression in matrices becomes one in their entries, W_{jp}, where sums run over an index from 1
to a size that is a letter. This is brought into a normal form, so that two sides which are equal
look the same: nothing is drawn at random, nothing has a size in numbers. In reading order:

* `polynomial`: sums of products of powers of atoms, the atoms, and long division;
* `signs`: what is positive, and so may be divided by or have a logarithm;
* `normal`: the rules for quotients, exp, log, sums over an index, and functions with a kink;
* `calculus`: derivatives; `functions`: those of the assignment, made of the former;
* `context`: what a statement is about, given by the caller; `assignment`: what the course gives;
* `shapes`: shapes in letters; `components`: from matrices to entries;
* `unfolding`: definitions put in where they are needed; `cases`: case distinctions;
* `prover`: a statement in, a proof for each of its steps out.

What is proven follows from the definitions in the context, and from nothing else. It is claimed
wherever both sides are defined; the derivative of a function with a kink has, at the kink, the
value that the assignment prescribes.
"""

from derivations.exact.context import EXAMPLES, Context
from derivations.exact.prover import PROVEN, REFUTED, UNDECIDED, Proof, prove

__all__ = ["EXAMPLES", "PROVEN", "REFUTED", "UNDECIDED", "Context", "Proof", "prove"]
