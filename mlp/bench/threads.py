"""How many threads BLAS has: said in the environment of a process, before numpy is loaded."""

import os

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def environment(threads: int) -> dict[str, str]:
    """The environment of this process, but for the number of threads."""
    return os.environ | dict.fromkeys(VARIABLES, str(threads))
