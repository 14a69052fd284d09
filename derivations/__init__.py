"""Checks the mathematics of report.qmd by machine."""
