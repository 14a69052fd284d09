"""Timing: an epoch of ours against its peers, and what each trick of the fast twin saves.

Modules, each importing only from those above it:

* `case`, `threads`: what is timed, and with how many threads
* `serve`: the process of a method; `peers`: scripts of others, which import nothing of `mlp`
* `results`, `goals`: what was measured, and what should have been reached
* `methods`, `measure`: what is compared, and how: each method in a process of its own
* `tricks`, `savings`: what each trick replaces, and what it saves
* `memory`: what training takes at most
* `suite`: all of it, into the tables of results/bench/
"""
