"""The script that QGIS's own Python runs is no test of ours."""

collect_ignore = ["qgis_script.py"]
