"""The printed patrol card: an A4 sheet around a map of our own streets."""
