"""People's actions: the only code that writes them."""
