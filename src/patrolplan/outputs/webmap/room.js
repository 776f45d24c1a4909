"use strict";

// Things on the screen by the squares that they pass, so that only what is near is looked at.
const makeCells = (side) => {
  const cells = new Map();
  const keysOf = ({ min, max }) => {
    const keys = [];
    for (let x = Math.floor(min.x / side); x <= Math.floor(max.x / side); x += 1) {
      for (let y = Math.floor(min.y / side); y <= Math.floor(max.y / side); y += 1) keys.push(`${x},${y}`);
    }
    return keys;
  };
  return {
    put: (thing, edges) => keysOf(edges).forEach((key) => {
      if (!cells.has(key)) cells.set(key, []);
      cells.get(key).push(thing);
    }),
    near: (edges) => keysOf(edges).flatMap((key) => cells.get(key) ?? []),
  };
};
const edgesOf = ({ x, y, r }) => ({ min: { x: x - r, y: y - r }, max: { x: x + r, y: y + r } });

// What is drawn already, so that names touch none of it: a box is the square of half its side `r`
// around a point.
const makeRoom = () => {
  const cells = makeCells(32);
  const meet = (a, b) => Math.abs(a.x - b.x) < a.r + b.r && Math.abs(a.y - b.y) < a.r + b.r;
  return {
    take: (boxes) => boxes.forEach((box) => cells.put(box, edgesOf(box))),
    isFree: (boxes) => boxes.every((a) => !cells.near(edgesOf(a)).some((b) => meet(a, b))),
  };
};

// Whether a named street is the nearest to all of some points in a part of the screen: a name next
// to another street than its own would send an officer down the wrong one.
const makeNearest = ({ map, pieces, names }) => {
  const REACH = 40;
  const WOBBLE = 1; // pixels that a name on its own street may lie off it
  const boxes = pieces.map((piece) => L.latLngBounds(piece)); // found once: few are in sight
  return ({ min, max }) => {
    const wide = L.bounds(min.subtract([REACH, REACH]), max.add([REACH, REACH]));
    const sight = L.latLngBounds([wide.min, wide.max].map((at) => map.layerPointToLatLng(at)));
    const cells = makeCells(REACH);
    pieces.forEach((piece, row) => {
      if (!names[row] || !sight.intersects(boxes[row])) return;
      const points = piece.map((at) => map.latLngToLayerPoint(at));
      points.slice(1).forEach((b, i) => {
        const edges = L.bounds(points[i], b);
        if (wide.intersects(edges)) cells.put({ part: [points[i], b], name: names[row] }, edges);
      });
    });
    const isNearestAt = (point, name) => {
      let [own, other] = [Infinity, Infinity];
      cells.near(edgesOf({ ...point, r: REACH })).forEach((street) => {
        const apart = L.LineUtil.pointToSegmentDistance(point, ...street.part);
        if (street.name === name) own = Math.min(own, apart);
        else other = Math.min(other, apart);
      });
      return own < Infinity && own <= other + WOBBLE;
    };
    return (points, name) => points.every((point) => isNearestAt(point, name));
  };
};

const boxesAlong = (at, angle, width, r) => {
  const boxes = [];
  for (let step = -width / 2; step <= width / 2; step += r * 1.5) {
    boxes.push({ x: at.x + step * Math.cos(angle), y: at.y + step * Math.sin(angle), r });
  }
  return boxes;
};
const boxesOnLine = (points, r = 4) => points.slice(1).flatMap((b, i) => {
  const a = points[i];
  const parts = Math.ceil(a.distanceTo(b) / (2 * r));
  return Array.from({ length: parts }, (_, part) => ({
    x: a.x + ((b.x - a.x) * part) / parts, y: a.y + ((b.y - a.y) * part) / parts, r,
  }));
});
