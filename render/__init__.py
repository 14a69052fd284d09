"""Renders report.qmd, with the Quarto program or where it cannot be had.

`__main__` chooses the route, and `watch` renders again on every save. The direct route: `dialect`
says what it understands, `cells` and `keys` what runs and what that depends on, `kernel` runs it
(with `inside` inside), `cache` keeps what it showed, `execute` decides between the two, `weave`
puts it in its place, and `direct` drives Pandoc (told by pandoc.yml and filter.lua) and Typst.
shared.lua and typst.lua serve both routes, ready.lua, missing.lua and html.lua Quarto, whose kernel
is `replay`: it shows what the cache knows. `check` says what can be said before anything runs: of
`options` without effect, of `names` that nobody bears; `lint` says the rest. `leftovers` sweeps up
after killed renders. `submission` serves either route.
"""
