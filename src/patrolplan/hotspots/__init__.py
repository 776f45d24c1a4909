"""Risk becomes hotspots: stretches of street worth standing in."""

OWN, DESIGNATED = "hotspot", "designated"
"""Kinds of hotspots: found here, or designated by the force."""
