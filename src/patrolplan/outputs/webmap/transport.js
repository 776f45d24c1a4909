"use strict";

// Bus stops and stations: a ring each, and the names of stations.
const makeTransport = ({ map, data, names }) => {
  const transport = ["station", "bus_stop"].flatMap((kind) => unstep(data.ground[kind].at).map(
    (at, row) => ({ at, kind, text: data.ground[kind].name[row] }),
  ));
  // Returns the places that are drawn.
  const draw = (pen, bounds, occupied) => transport
    .map((place) => ({ ...place, at: map.latLngToLayerPoint(place.at) }))
    .filter(({ at, kind }) => bounds.contains(at) && (kind === "station" || map.getZoom() >= 16))
    .map((place) => {
      const { at, kind } = place;
      const size = kind === "station" ? 6 : 4;
      pen.beginPath();
      pen.arc(at.x, at.y, size, 0, 7);
      Object.assign(pen, { lineWidth: 3, strokeStyle: "#8a1c1c", fillStyle: "#ffffff" });
      pen.fill();
      pen.stroke();
      occupied.take([{ x: at.x, y: at.y, r: size + 2 }]);
      return place;
    });
  const nameStations = (pen, places, occupied) => {
    pen.fillStyle = "#8a1c1c";
    const around = (width) => [[0, 18], [0, -18], [width / 2 + 14, 0], [-width / 2 - 14, 0]];
    places.filter(({ kind, text }) => kind === "station" && text)
      .forEach(({ at, text }) => names.writeFree(pen, text, at, occupied, around));
  };
  return { draw, nameStations };
};
