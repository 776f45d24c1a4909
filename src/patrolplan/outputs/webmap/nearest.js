"use strict";

// Which named street is nearest to a point of the screen: a name next to another street than its
// own would send an officer down the wrong one.
const makeNearest = ({ map, pieces, names }) => {
  const CELL = 40;
  const WOBBLE = 1; // pixels that a name on its own street may lie off it
  const key = (x, y) => `${x},${y}`;
  const cellOf = (value) => Math.floor(value / CELL);

  // South, north, west and east of every piece, found once: few are in sight.
  let boxes = null;
  const boxesOf = () => {
    boxes = new Float64Array(4 * pieces.length);
    pieces.forEach((piece, row) => {
      const [lats, lons] = [piece.map(([lat]) => lat), piece.map(([, lon]) => lon)];
      boxes.set([Math.min(...lats), Math.max(...lats), Math.min(...lons), Math.max(...lons)], 4 * row);
    });
    return boxes;
  };
  const inSight = (wide) => {
    const [low, high] = [wide.getBottomLeft(), wide.getTopRight()].map((at) => map.layerPointToLatLng(at));
    const box = boxes ?? boxesOf();
    return (row) => box[4 * row] <= high.lat && box[4 * row + 1] >= low.lat
      && box[4 * row + 2] <= high.lng && box[4 * row + 3] >= low.lng;
  };

  // Parts of street by the squares of the screen that they pass.
  const laidOut = (bounds) => {
    const cells = new Map();
    const wide = L.bounds(bounds.min.subtract([CELL, CELL]), bounds.max.add([CELL, CELL]));
    const put = (part, name) => {
      const around = L.bounds(part);
      if (!wide.intersects(around)) return;
      for (let x = cellOf(around.min.x); x <= cellOf(around.max.x); x += 1) {
        for (let y = cellOf(around.min.y); y <= cellOf(around.max.y); y += 1) {
          if (!cells.has(key(x, y))) cells.set(key(x, y), []);
          cells.get(key(x, y)).push({ part, name });
        }
      }
    };
    const isInSight = inSight(wide);
    pieces.forEach((piece, row) => {
      if (!names[row] || !isInSight(row)) return;
      const points = piece.map((at) => map.latLngToLayerPoint(at));
      points.slice(1).forEach((b, i) => put([points[i], b], names[row]));
    });
    return cells;
  };

  // Asks of a part of the screen whether a street is the nearest to all of these points.
  return (bounds) => {
    const cells = laidOut(bounds);
    const isNearestAt = (point, name) => {
      let [own, other] = [Infinity, Infinity];
      for (let x = cellOf(point.x) - 1; x <= cellOf(point.x) + 1; x += 1) {
        for (let y = cellOf(point.y) - 1; y <= cellOf(point.y) + 1; y += 1) {
          (cells.get(key(x, y)) ?? []).forEach((street) => {
            const apart = L.LineUtil.pointToSegmentDistance(point, ...street.part);
            if (street.name === name) own = Math.min(own, apart);
            else other = Math.min(other, apart);
          });
        }
      }
      return own < Infinity && own <= other + WOBBLE;
    };
    return (points, name) => points.every((point) => isNearestAt(point, name));
  };
};
