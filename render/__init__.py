"""The direct route: renders report.qmd where the Quarto program cannot be had.

`document` reads the source, `execute` runs its chunks, `direct` drives Pandoc (told by pandoc.yml,
filter.lua and shared.lua, which Quarto uses, too) and Typst, and `__main__` chooses the route. A
test keeps all that under 500 lines of code. `lint` and `submission` work on either route.
"""
