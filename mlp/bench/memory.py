"""The memory that a process takes at most when it trains on Fashion-MNIST."""

import re
import resource
import subprocess
import sys
from pathlib import Path

from mlp import data, fast, train
from mlp.bench.case import VALID, D
from mlp.settings import Settings

DATA_BYTES = 70_000 * D * 4  # all images, once in single precision


def of_training() -> int:
    """The most bytes taken by a process of its own that trains on Fashion-MNIST."""
    done = subprocess.run(
        [sys.executable, "-m", "mlp.bench.memory"],
        cwd=data.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def train_once() -> None:
    """Train one epoch at K = 100, d_h = 1024."""
    splits = data.load("fashion-mnist", valid=VALID, seed=0, may_download=False)
    settings = Settings(d_h=1024, eta=0.01, epochs=1)
    for _ in train.fit(splits, settings, engine=fast.Steps):
        pass


def peak() -> int:
    """The most bytes that this process has held, without what its parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss outlives fork and exec
        (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status.read_text(encoding="utf-8"), re.M)
        return int(kilobytes) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    train_once()
    print(peak())
