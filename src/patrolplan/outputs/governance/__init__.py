"""What a force needs to answer for patrolplan, as Markdown filled with facts."""
