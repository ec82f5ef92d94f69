"""The view in the URL: what it says, and the widgets that change it."""
