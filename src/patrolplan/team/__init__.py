"""Plan -> Week: who patrols which school on which day, and what was delivered."""
