"""Open data from its publishers: the only room that may use the internet."""
