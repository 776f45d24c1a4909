"""Hotspots -> Plan: timed patrols with bounds and variants."""
