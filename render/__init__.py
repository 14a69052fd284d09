"""Renders report.qmd, with the Quarto program or where it cannot be had.

`__main__` chooses the route. The direct one: `document` reads the source, `execute` runs its
chunks, `direct` drives Pandoc (told by pandoc.yml and filter.lua) and Typst; a test keeps it well
below 500 lines of code. shared.lua serves both routes, missing.lua and html.lua Quarto; `lint`
and `submission` either.
"""
