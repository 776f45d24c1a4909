"""The fictional borough of Eastmere: streets, crimes, schools, pupil reports, all invented."""
