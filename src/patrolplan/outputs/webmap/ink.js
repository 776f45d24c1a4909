"use strict";

// Drawn above the streets on a canvas of its own: points such as bus stops, the route with
// its arrows, and the names of streets, which avoid all of it and are drawn only where their own
// street is the nearest. `listUnwritten` is called with the names of walked streets that find no room.
const makeInk = ({ map, data, pieces, chosen, shown, listUnwritten }) => {
  const names = makeNames({ map, data, pieces, chosen });
  const points = makePoints({ map, data, names });

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
        trace(pen, [[8, 0], [-6, -7], [-3, 0], [-6, 7]].map(([x, y]) => ({ x, y })));
        pen.closePath();
        Object.assign(pen, { lineWidth: 2.5, strokeStyle: "#ffffff", fillStyle: "#0b3d91" });
        pen.stroke();
        pen.fill();
        pen.restore();
        until += 70;
      }
      until -= length;
    }
  };
  const drawRoute = (pen, legs) => {
    Object.assign(pen, { lineJoin: "round", lineCap: "round" });
    [["#ffffff", 7.5], ["#0b3d91", 4.5]].forEach(([strokeStyle, lineWidth]) => {
      Object.assign(pen, { strokeStyle, lineWidth });
      legs.forEach((leg) => { trace(pen, leg); pen.stroke(); });
    });
    legs.forEach((leg) => drawArrows(pen, leg));
  };

  // Speech bubbles where pupils feel unsafe: from afar only where their reports carry the hotspot.
  const drawVoices = (pen, bounds, occupied) => {
    if (!shown.hotspots || map.getZoom() < 14.5) return;
    const least = map.getZoom() < 17 ? 2 : 1;
    pen.save();
    pen.font = "800 13px system-ui, sans-serif";
    data.hotspots.filter(({ feared }) => feared >= least).forEach(({ stop }) => {
      const tail = map.latLngToLayerPoint(stop);
      const at = tail.add([7, -9]);
      const box = [{ x: at.x, y: at.y, r: 10 }];
      if (!bounds.contains(at) || !occupied.isFree(box)) return;
      occupied.take(box);
      pen.beginPath();
      pen.arc(at.x, at.y, 8, Math.PI * 0.95, Math.PI * 0.55);
      pen.lineTo(tail.x, tail.y);
      pen.closePath();
      [["#ffffff", 4.5], ["#000000", 2]].forEach(([strokeStyle, lineWidth]) => {
        Object.assign(pen, { strokeStyle, lineWidth });
        pen.stroke();
      });
      pen.fillStyle = "#ffffff";
      pen.fill();
      pen.fillStyle = "#000000";
      pen.fillText("!", at.x, at.y + 0.5);
    });
    pen.restore();
  };
  const draw = (pen, bounds) => {
    const legs = chosen.legs.map((leg) => besideLine(leg.map((at) => map.latLngToLayerPoint(at)), 3.5));
    const boxed = (places, r) => places.map((at) => ({ ...map.latLngToLayerPoint(at), r }));
    const occupied = makeRoom();
    occupied.take(boxed([...chosen.points, ...chosen.away, ...chosen.tasked.map(({ at }) => at)], 17));
    occupied.take(findCovered(map, "#map-buttons button"));
    if (shown.schools) occupied.take(boxed(data.schools.map(({ at }) => at), 12));
    names.setFont(pen);
    Object.assign(pen, { textAlign: "center", textBaseline: "middle", lineJoin: "round" });
    const drawn = points.draw(pen, bounds, occupied, shown);
    drawRoute(pen, legs);
    const walk = legs.flatMap((leg) => boxesOnLine(leg));
    const route = makeRoom();
    route.take(walk);
    occupied.take(walk);
    drawVoices(pen, bounds, occupied);
    Object.assign(pen, { lineWidth: 4, strokeStyle: "#ffffff" });
    points.writeNames(pen, drawn, occupied);
    pen.fillStyle = "#2b2b2b";
    listUnwritten(shown.names ? names.draw(pen, bounds, occupied, route) : []);
  };
  return makeSheet({ draw });
};
