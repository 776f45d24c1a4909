"""The brief: what was recorded around a school since a day, against what is usual there."""
