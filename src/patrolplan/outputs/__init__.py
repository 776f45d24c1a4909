"""Papers and files made from plans and weeks: cards, phone map, GPX, layers, tables."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules={"plot"})
