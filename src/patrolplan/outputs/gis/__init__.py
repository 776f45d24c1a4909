"""What other programs open: what columns mean, styles and the project for QGIS."""
