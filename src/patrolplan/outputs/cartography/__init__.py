"""The drawing of streets, signs and names that card, overview and plots share."""
