"""What a school holds to ask its pupils: survey page, paper form, tally page and leaflet."""
