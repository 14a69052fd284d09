r"""Checks the mathematics of report.qmd by machine."""
from pathlib import Path
REPORT = Path(__file__).resolve().parent.parent / "report.qmd"
