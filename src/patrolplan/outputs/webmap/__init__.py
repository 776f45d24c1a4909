"""The phone map: one page that opens without a network."""
