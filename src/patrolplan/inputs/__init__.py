"""Files become tables: one reader for each kind of file, and nothing wrong gets past them."""
