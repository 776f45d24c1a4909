"""Plans become what people hold: card, phone map, GPX, layers, files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules={"plot"})
