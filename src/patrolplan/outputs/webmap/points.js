"use strict";

// Bus stops, stations and what else has a sign: a ring each, and names. Their looks come with them.
const makePoints = ({ map, data, names }) => {
  const points = data.ground.points.flatMap(({ at, names: texts, ...sign }) => unstep(at).map(
    (place, row) => ({ ...sign, at: place, text: texts[row] }),
  ));
  // Returns those that are drawn: of words that are not hidden, and in view.
  const draw = (pen, bounds, occupied, shown = {}) => points
    .map((point) => ({ ...point, at: map.latLngToLayerPoint(point.at) }))
    .filter(({ at, words, from_zoom: zoom }) => shown[words] !== false && bounds.contains(at) && map.getZoom() >= zoom)
    .map((point) => {
      const { at, radius, edge, fill } = point;
      pen.beginPath();
      pen.arc(at.x, at.y, radius, 0, 7);
      Object.assign(pen, { lineWidth: 3, strokeStyle: edge, fillStyle: fill });
      pen.fill();
      pen.stroke();
      occupied.take([{ x: at.x, y: at.y, r: radius + 2 }]);
      return point;
    });
  const around = (width) => [[0, 18], [0, -18], [width / 2 + 14, 0], [-width / 2 - 14, 0]];
  const writeNames = (pen, drawn, occupied) => drawn.filter(({ named, text }) => named && text).forEach(({ at, edge, text }) => {
    pen.fillStyle = edge;
    names.writeFree(pen, text, at, occupied, around);
  });
  return { draw, writeNames };
};
