"""The papers of a week: tables, wall and task sheets, cards by officer, and sheets for schools."""
