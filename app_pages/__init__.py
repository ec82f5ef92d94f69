"""The screens: frame.py is what every page stands in, each other file here is one page, read top to bottom as it looks."""
