"""What ties the report to the program.

`reader` is the one reader of report.qmd; it makes the values that `report` describes. `source`
quotes real code and finds the statements that bear a label, `shapes` reads shapes off the running
program, `appendix` is the formula sheet, `claims` checks what sentences say, and `beside` has work
done while chunks run.
"""
