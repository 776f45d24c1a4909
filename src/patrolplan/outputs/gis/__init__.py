"""Files for other programs: meanings of columns, styles and the project for QGIS."""
