"""People's actions, looks at patients, sessions and saved views: the only code that writes them."""
