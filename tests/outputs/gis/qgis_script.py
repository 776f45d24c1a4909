"""Opens a plan's project in QGIS and prints what it finds; run by the system's own Python."""

import json
import os
import sys

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsLayoutExporter,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]

folder = sys.argv[1]
application = QgsApplication([], False)  # noqa: FBT003 - without windows
application.initQgis()
project = QgsProject.instance()
found = {"read": project.read(f"{folder}/plan.qgs"), "crs": project.crs().authid(), "layers": {}}
for layer in project.mapLayers().values():
    found["layers"][layer.name()] = {
        "valid": layer.isValid(),
        "rows": layer.featureCount(),
        "renderer": layer.renderer().type(),
        "legend": [item.label() for item in layer.renderer().legendSymbolItems()],
        "labels": layer.labelsEnabled(),
        "animated": layer.temporalProperties().isActive(),
    }
found["alone"] = {}
for name in ("risk", "hotspots", "patrols", "legs", "stops", "schools"):
    layer = QgsVectorLayer(f"{folder}/plan.gpkg|layername={name}", name, "ogr")
    found["alone"][name] = {
        "renderer": layer.renderer().type(),
        "comments": {field.name(): field.comment() for field in layer.fields()},
        "types": {field.name(): field.typeName() for field in layer.fields()},
    }
layout = project.layoutManager().layoutByName("Area, A4")
settings = QgsMapSettings()
settings.setLayers([one.layer() for one in project.layerTreeRoot().findLayers() if one.isVisible()])
settings.setExtent(layout.itemById("map").extent())
settings.setDestinationCrs(project.crs())
settings.setBackgroundColor(project.backgroundColor())
settings.setOutputSize(QSize(1600, 1308))
settings.setOutputDpi(160)
job = QgsMapRendererParallelJob(settings)
job.start()
job.waitForFinished()
found["map"] = job.renderedImage().save(f"{folder}/map.png")
image = QgsLayoutExporter.ImageExportSettings()
image.dpi = 100
found["layout"] = QgsLayoutExporter(layout).exportToImage(f"{folder}/layout.png", image)
atlas = project.layoutManager().layoutByName("A page a patrol, A4")
atlas.atlas().updateFeatures()
found["pages"] = atlas.atlas().count()
atlas.atlas().beginRender()
atlas.atlas().seekTo(0)
found["page"] = QgsLayoutExporter(atlas).exportToImage(f"{folder}/page.png", image)
print(json.dumps(found))  # noqa: T201 - for the test
sys.stdout.flush()
os._exit(0)  # QGIS without windows does not always end by itself
