"""What a school uses to survey its pupils: survey page, paper form, tally page and leaflet."""
