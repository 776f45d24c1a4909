"""Incidents become risk: expected harm on every piece of street."""
