import os
import subprocess
import sys

import pytest

from mlp.data import ROOT

STEPS = """
import resource
import numpy as np
from mlp import model
rng = np.random.default_rng(0)
params, x = model.init(rng, 2, 200, 2), rng.normal(size=(2, 250))
for i in range(110):
    if i == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model.bprop(params, model.fprop(params, x), np.zeros(250, int))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems manage memory in other ways")
def test_steps_reuse_the_memory_of_earlier_ones():
    command = [sys.executable, "-c", STEPS]
    own = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000  # pages newly mapped in 100 steps
