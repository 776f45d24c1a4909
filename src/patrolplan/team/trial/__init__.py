"""A trial of patrols: drawn by lot, sealed until its end, and analysed as it was drawn."""
