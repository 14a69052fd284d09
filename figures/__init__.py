"""The code that draws, and the one look of all figures; a module is one idea."""
