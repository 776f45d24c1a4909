"""The phone map: one page that opens with no network."""
