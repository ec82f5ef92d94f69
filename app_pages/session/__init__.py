"""What every page uses: the practice, the person, the clock, the labels."""
