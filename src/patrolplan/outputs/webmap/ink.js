"use strict";

// Drawn above the streets on a canvas of its own: bus stops and stations, the route with
// its arrows, and the names of streets, which avoid all of it and are drawn only where their own
// street is the nearest.
const makeInk = ({ map, data, pieces, chosen, shown }) => {
  const nearest = makeNearest({ map, pieces, names: data.streets.name.map((row) => data.streets.names[row]) });
  const labels = unstep(data.labels.at).map((at, row) => ({
    at,
    text: data.streets.names[data.labels.name[row]],
    angle: (data.labels.angle[row] * Math.PI) / 180,
    room: data.labels.room[row],
    rank: Number(data.labels.rank[row]),
  }));
  const transport = ["station", "bus_stop"].flatMap((kind) => unstep(data.ground[kind].at).map(
    (at, row) => ({ at, kind, text: data.ground[kind].name[row] }),
  ));

  // A leg is drawn left of its street, so that the way back is next to the way out.
  const besideLine = (points, aside) => {
    const clean = points.filter((point, i) => !i || point.distanceTo(points[i - 1]) > 0.5);
    const normal = (a, b) => {
      const length = a.distanceTo(b) || 1;
      return L.point((b.y - a.y) / length, -(b.x - a.x) / length);
    };
    return clean.map((point, i) => {
      const before = i ? normal(clean[i - 1], point) : null;
      const after = i < clean.length - 1 ? normal(point, clean[i + 1]) : null;
      if (!before && !after) return point;
      const sum = before && after ? before.add(after) : (before || after).multiplyBy(2);
      const size = Math.max(0.7, sum.distanceTo([0, 0]));
      return point.add(sum.multiplyBy(aside / size));
    });
  };
  const trace = (pen, points) => {
    pen.beginPath();
    points.forEach((point, i) => (i ? pen.lineTo(point.x, point.y) : pen.moveTo(point.x, point.y)));
  };
  const drawArrows = (pen, points) => {
    let until = 30;
    for (let i = 1; i < points.length; i += 1) {
      const [a, b] = [points[i - 1], points[i]];
      const length = a.distanceTo(b);
      while (until <= length) {
        const at = a.add(b.subtract(a).multiplyBy(until / length));
        pen.save();
        pen.translate(at.x, at.y);
        pen.rotate(Math.atan2(b.y - a.y, b.x - a.x));
        pen.beginPath();
        pen.moveTo(8, 0);
        pen.lineTo(-6, -7);
        pen.lineTo(-3, 0);
        pen.lineTo(-6, 7);
        pen.closePath();
        pen.lineWidth = 2.5;
        pen.strokeStyle = "#ffffff";
        pen.fillStyle = "#0b3d91";
        pen.stroke();
        pen.fill();
        pen.restore();
        until += 70;
      }
      until -= length;
    }
  };
  const drawRoute = (pen, legs) => {
    pen.lineJoin = "round";
    pen.lineCap = "round";
    [["#ffffff", 7.5], ["#0b3d91", 4.5]].forEach(([color, width]) => {
      pen.strokeStyle = color;
      pen.lineWidth = width;
      legs.forEach((leg) => { trace(pen, leg); pen.stroke(); });
    });
    legs.forEach((leg) => drawArrows(pen, leg));
  };

  // Pixels from a street that is walked to its name, on either side.
  const ASIDE = [15, 17, 19, 22, 26].flatMap((by) => [by, -by]);

  // Names of the longest streets come first, where they fit and touch nothing drawn already.
  const touches = (occupied, boxes) => boxes.some(
    (a) => occupied.some((b) => Math.abs(a.x - b.x) < a.r + b.r && Math.abs(a.y - b.y) < a.r + b.r),
  );
  const boxesAlong = (at, angle, width, r) => {
    const boxes = [];
    for (let step = -width / 2; step <= width / 2; step += r * 1.5) {
      boxes.push({ x: at.x + step * Math.cos(angle), y: at.y + step * Math.sin(angle), r });
    }
    return boxes;
  };
  const boxesOnLine = (points) => points.slice(1).flatMap((b, i) => {
    const a = points[i];
    const parts = Math.ceil(a.distanceTo(b) / 8);
    return Array.from({ length: parts }, (_, part) => ({
      x: a.x + ((b.x - a.x) * part) / parts, y: a.y + ((b.y - a.y) * part) / parts, r: 4,
    }));
  });
  const write = (pen, text, at, angle) => {
    pen.save();
    pen.translate(at.x, at.y);
    pen.rotate(angle);
    pen.strokeText(text, 0, 0);
    pen.fillText(text, 0, 0);
    pen.restore();
  };
  const drawNames = (pen, bounds, occupied, route) => {
    const pixels = 1 / metresPerPixel();
    const isNearest = nearest(bounds);
    const placed = new Map();
    const candidates = labels.map((label) => ({ ...label, at: map.latLngToLayerPoint(label.at) }))
      .filter(({ at, rank }) => bounds.contains(at) && (rank <= 3 || map.getZoom() >= 16.5));
    const isWalked = ({ at }) => touches(route, [{ x: at.x, y: at.y, r: 5 }]);
    const walked = candidates.map(isWalked);
    const setName = ({ text, at, angle, room }, aside) => {
      const width = pen.measureText(text).width;
      const same = placed.get(text) || [];
      if (width > room * pixels * 1.05 || same.some((other) => other.distanceTo(at) < 320)) return;
      const [dx, dy] = [Math.sin(angle), -Math.cos(angle)];
      const spare = Math.max(0, (room * pixels - width) / 2);
      const places = aside.flatMap((by) => [0, spare, -spare, spare / 2, -spare / 2].map(
        (along) => at.add([dx * by - dy * along, dy * by + dx * along]),
      ));
      const put = places.find(
        (place) => !touches(occupied, boxesAlong(place, angle, width, 7))
          && isNearest(boxesAlong(place, angle, width / 2, 7), text),
      );
      if (!put) return;
      occupied.push(...boxesAlong(put, angle, width, 7));
      placed.set(text, [...same, at]);
      write(pen, text, put, angle);
    };
    // Streets of the route come first, with the name next to the walked line; and what is in
    // sight comes before the margin that is drawn for the next move of the map.
    const sight = L.bounds([[0, 0], map.getSize()].map((at) => map.containerPointToLayerPoint(at)));
    [true, false].forEach((inSight) => {
      const now = candidates.map(({ at }) => sight.contains(at) === inSight);
      candidates.forEach((label, row) => now[row] && walked[row] && setName(label, ASIDE));
      candidates.forEach((label, row) => now[row] && !walked[row] && setName(label, [0]));
    });
  };
  const drawTransport = (pen, bounds, occupied) => transport
    .map((place) => ({ ...place, at: map.latLngToLayerPoint(place.at) }))
    .filter(({ at, kind }) => bounds.contains(at) && (kind === "station" || map.getZoom() >= 16))
    .map((place) => {
      const { at, kind } = place;
      const size = kind === "station" ? 6 : 4;
      pen.beginPath();
      pen.arc(at.x, at.y, size, 0, 7);
      pen.lineWidth = 3;
      pen.strokeStyle = "#8a1c1c";
      pen.fillStyle = "#ffffff";
      pen.fill();
      pen.stroke();
      occupied.push({ x: at.x, y: at.y, r: size + 2 });
      return place;
    });
  const drawStations = (pen, places, occupied) => {
    pen.fillStyle = "#8a1c1c";
    places.filter(({ kind, text }) => kind === "station" && text).forEach(({ at, text }) => {
      const width = pen.measureText(text).width;
      const put = [[0, 18], [0, -18], [width / 2 + 14, 0], [-width / 2 - 14, 0]]
        .map((by) => at.add(by)).find((place) => !touches(occupied, boxesAlong(place, 0, width, 7)));
      if (!put) return;
      occupied.push(...boxesAlong(put, 0, width, 7));
      write(pen, text, put, 0);
    });
  };
  const metresPerPixel = () => {
    const size = map.getSize();
    const [a, b] = [[0, size.y / 2], [100, size.y / 2]].map((point) => map.containerPointToLatLng(point));
    return map.distance(a, b) / 100;
  };
  const Ink = L.Renderer.extend({
    options: { pane: "ink", padding: 0.15 },
    _initContainer() {
      this._container = document.createElement("canvas");
    },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const { min } = this._bounds;
      const size = this._bounds.getSize();
      const sharp = document.body.classList.contains("printing") ? 3 : Math.max(1, devicePixelRatio);
      // A new canvas each time: on paper, clearing a used one would cover what is below.
      const fresh = this._container.cloneNode(false);
      fresh.width = size.x * sharp;
      fresh.height = size.y * sharp;
      this._container.replaceWith(fresh);
      this._container = fresh;
      L.DomUtil.setPosition(this._container, min);
      this._container.style.width = `${size.x}px`;
      this._container.style.height = `${size.y}px`;
      const pen = this._container.getContext("2d");
      pen.scale(sharp, sharp);
      pen.translate(-min.x, -min.y);
      this._draw(pen);
    },
    _draw(pen) {
      const legs = chosen.legs.map(
        (leg) => besideLine(leg.map((at) => map.latLngToLayerPoint(at)), 3.5),
      );
      const boxed = (places, r) => places.map((at) => ({ ...map.latLngToLayerPoint(at), r }));
      const occupied = boxed([...chosen.points, ...chosen.away], 17);
      if (shown.schools) occupied.push(...boxed(data.schools.map(({ at }) => at), 12));
      pen.font = "600 12px system-ui, 'Segoe UI', Roboto, Arial, sans-serif";
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.lineJoin = "round";
      const places = shown.transport ? drawTransport(pen, this._bounds, occupied) : [];
      drawRoute(pen, legs);
      const route = legs.flatMap(boxesOnLine);
      occupied.push(...route);
      pen.lineWidth = 4;
      pen.strokeStyle = "#ffffff";
      drawStations(pen, places, occupied);
      pen.fillStyle = "#2b2b2b";
      if (shown.names) drawNames(pen, this._bounds, occupied, route);
    },
    redraw() {
      if (this._map) this._update();
    },
  });
  return new Ink();
};
