"""Hotspots -> Plan: timed patrols with bounds and variants."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules={"orienteering"})
