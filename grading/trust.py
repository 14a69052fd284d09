"""Runs a command as it is, without a sandbox: for submissions that one trusts."""

import subprocess
from pathlib import Path

from grading.limits import Limits, Outcome


def run(command: list[str], folder: Path, limits: Limits) -> Outcome:
    """Run a command in a folder; only its time is limited."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(-1, "", "", f"took more than {limits.seconds:g} s")
    return Outcome(done.returncode, done.stdout, done.stderr)
