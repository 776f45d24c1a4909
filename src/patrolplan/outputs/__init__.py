"""Papers and files made from plans and weeks: cards, phone map, GPX, layers, tables."""
