"""What can be said of the report before anything runs.

As a program, which Quarto runs first, `python -m render.check REPORT`: it prints every fault, and
the exit status is 1 if there are any.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from literate import reader
from literate.report import Fault, Report
from render import names, options


def faults(report: Report, folder: Path) -> Iterator[Fault]:
    """All that either route would stop at later, or pass over in silence."""
    yield from report.faults
    yield from options.faults(report)
    yield from names.faults(report, folder)


def main() -> int:
    """Print the faults of a report, and of the settings beside it; 1 if there are any."""
    path = Path(sys.argv[1])
    config = path.with_name("_quarto.yml")
    try:
        report = reader.read(path)
        settings = options.settings(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return 1
    found = [f"{config.name}:{line}: {what}" for line, what in options.of_settings(settings)]
    found += [f"{report.where(line)}: {what}" for line, what in sorted(faults(report, path.parent))]
    print("".join(f"ERROR: {fault}\n" for fault in found), end="", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
