"""Files become tables: one reader for each kind of file, which checks every value."""
