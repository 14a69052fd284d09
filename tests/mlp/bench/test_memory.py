import subprocess
import sys

import numpy as np

from mlp.bench import memory
from mlp.data import ROOT


def test_the_peak_of_a_process_leaves_out_what_its_parent_held_and_what_was_only_reserved():
    held = np.ones(200 * 2**20, np.uint8)  # in every page, so that the process holds it
    assert memory.peak() > held.nbytes
    code = (
        "import numpy as np; from mlp.bench import memory; "
        "reserved = np.empty(2**30, np.uint8); print(memory.peak())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 10 * 2**20 < int(done.stdout) < held.nbytes
