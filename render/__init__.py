"""Renders report.qmd where the Quarto program cannot be had."""
