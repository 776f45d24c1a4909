"""How orienteering problems are solved: exactly for patrols, by search for the rest."""
