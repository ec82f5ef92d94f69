"""Who is at the keyboard, and the pages in front of the workbench."""
