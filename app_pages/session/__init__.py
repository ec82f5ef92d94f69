"""What every page stands on: the practice, the person, the clock, the labels."""
