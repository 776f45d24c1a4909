"""Plans become what people hold: card, phone map, GPX, layers, files."""
