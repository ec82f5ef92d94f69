"""Everything that is not a screen: from the EMR's extracts to the worklist."""
