"""The way in: python -m mlp. What it needs is imported once Ctrl-C is no traceback any more."""

import signal
import sys

from mlp import processes, streams


def main(arguments: list[str] | None = None) -> int:
    """Run one command of `mlp.commands`; the exit status, which `python -m mlp --help` explains."""
    with streams.guarded():
        with processes.answering(signal.SIG_DFL):  # an import that is interrupted leaves nothing
            from mlp import commands
        with processes.answering(processes.stop):
            return commands.main(arguments)


if __name__ == "__main__":
    status = main()
    with processes.answering(signal.SIG_DFL):
        sys.exit(status)
