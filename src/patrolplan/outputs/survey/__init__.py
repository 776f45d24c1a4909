"""What a school holds to survey its pupils: a page, a paper form, a tally page and a leaflet."""
