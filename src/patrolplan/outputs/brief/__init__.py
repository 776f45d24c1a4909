"""The brief: what was recorded around a school since a day, compared with a baseline."""
