"""What the names of the report are: sizes, indices, arrays, examples in columns, functions.

A name is written as in LaTeX, without the braces. What it is worth at a point is drawn in `points`
or defined in `definitions`.
"""

from derivations import definitions as of
from derivations.latex import Names
from derivations.points import LAMBDAS, SCALARS, SIZES, draw

INDICES = "ijklpqr"
LEAVES = frozenset(draw(0, batch=True))
COLUMNS = {of.X, of.HA, of.HS, of.OA, of.OS, r"\mathbf t", "L", "L_s", "y"}  # one for each example
ROWS = {"L", "L_s", "y"}  # of these columns, the ones that hold a single number
OF_A_BATCH = {"K", r"\mathbf 1_K", r"\hat R_K", r"\hat R_s", r"\mathbf y"}
ARRAYS = (COLUMNS - ROWS) | {*of.PARAMETERS, r"\theta", r"\mathbf y", r"\mathbf v", r"\mathbf g"}
ARRAYS |= {r"\mathbf 1_K", r"\mathbf 1_m", r"\mathbf A", r"\mathbf a", r"\mathbf p", r"\mathbf P"}
ARRAYS |= {r"\mathbf U", r"\mathbf \Lambda", r"\mathbf I", r"\mathbf \mu"}
ARRAYS |= {r"\tilde \mathbf{W}^(1)", r"\tilde \mathbf{b}^(1)"}
CONSTANTS = (r"\mathbf 1_K", r"\mathbf 1_m", r"\theta^\star")
ELEMENTWISE = {"exp", "log", "cos", "tanh", "sigmoid", "softplus", "sign", "rect", "abs"}
ARGUMENTS = {  # what a quantity may be written as a function of
    of.OA: [of.X],
    of.OS: [of.X],
    "L": [of.X, "y"],
    r"\hat R": [r"\theta"],
    r"\mathcal L": [r"\theta"],
    r"\tilde R": [r"\theta"],
}
NAMES = Names(
    symbols=frozenset([*SIZES[0], *of.PARAMETERS, *LAMBDAS, *of.QUANTITIES, *CONSTANTS]),
    functions=frozenset(of.FUNCTIONS),
    applied=frozenset(ARGUMENTS),
)
FREE = frozenset(SCALARS)  # a number of any value, until a formula says which
