"""The screens: a folder each, whose page.py reads as the page looks; frame.py is around all."""
