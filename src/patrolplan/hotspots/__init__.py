"""Risk becomes hotspots: stretches of street worth standing in."""
