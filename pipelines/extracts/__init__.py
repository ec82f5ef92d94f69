"""Find, read and validate the extract files of a run against the contract."""
