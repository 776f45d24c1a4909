"""The board: a team lead's page for a week, served to this computer alone."""
