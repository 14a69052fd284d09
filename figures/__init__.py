"""The code that draws the figures and sets the tables of the report; a module is one idea.

`style` is the look of all figures, `tables` are Markdown tables and the numbers in them. Each of
the others draws or tabulates one thing: functions that draw return the figure, functions that
tabulate return Markdown. `strokes` are those of the drawings; `worked` holds the network whose
numbers part b carries along, `mistakes` what goes wrong on it, and `exercises` are answered by
computation. `moving` writes what the HTML of a figure needs to let the reader move it.
"""
