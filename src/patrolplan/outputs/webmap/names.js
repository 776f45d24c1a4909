"use strict";

// Names of streets. Those of streets that are walked come first: next to the walked line, then in
// smaller letters, then at the end of a thin line; the others where there is room.
const makeNames = ({ map, data, pieces, chosen }) => {
  const nearest = makeNearest({ map, pieces, names: data.streets.name.map((row) => data.streets.names[row]) });
  const labels = unstep(data.labels.at).map((at, row) => ({
    at,
    text: data.streets.names[data.labels.name[row]],
    angle: (data.labels.angle[row] * Math.PI) / 180,
    room: data.labels.room[row],
    rank: Number(data.labels.rank[row]),
  }));
  const setFont = (pen, size) => {
    pen.font = `${size < SIZES[0] ? 700 : 600} ${size}px system-ui, 'Segoe UI', Roboto, Arial, sans-serif`;
  };
  const SIZES = [12, 10.5];
  // Pixels from a street that is walked to its name, on either side.
  const ASIDE = [15, 17, 19, 22, 26].flatMap((by) => [by, -by]);
  const SAME_STREET = 320; // pixels between two names of one street
  const LINES_LONG = [26, 36, 48, 62, 80, 100, 124];
  const WAYS = Array.from({ length: 16 }, (_, way) => (way * Math.PI) / 8);
  const CROSSING_COST = 60; // so much longer a line may be that does not cross the walk

  const listWalked = () => (chosen.patrol?.streets ?? []).map(([row, walked]) => ({
    text: data.streets.names[row], pieces: walked.map((number) => pieces[number]),
  }));

  // ---- placing ------------------------------------------------------------------------------
  const write = (pen, text, at, angle) => {
    pen.save();
    pen.translate(at.x, at.y);
    pen.rotate(angle);
    pen.strokeText(text, 0, 0);
    pen.fillText(text, 0, 0);
    pen.restore();
  };
  // Level, at the first of some places around a point that is free.
  const writeFree = (pen, text, at, occupied, sides) => {
    const { width } = pen.measureText(text);
    const put = sides(width).map((by) => at.add(by)).find((place) => occupied.isFree(boxesAlong(place, 0, width, 7)));
    if (!put) return;
    occupied.take(boxesAlong(put, 0, width, 7));
    write(pen, text, put, 0);
  };
  const metresPerPixel = () => {
    const size = map.getSize();
    const [a, b] = [[0, size.y / 2], [100, size.y / 2]].map((point) => map.containerPointToLatLng(point));
    return map.distance(a, b) / 100;
  };
  // Draws the names; returns those of walked streets in sight for which there is no room.
  const draw = (pen, bounds, occupied, route) => {
    const pixels = 1 / metresPerPixel();
    const isNearest = nearest(bounds);
    const written = makeRoom();
    const placed = new Map();
    const sight = L.bounds([[0, 0], map.getSize()].map((at) => map.containerPointToLayerPoint(at)));
    const inner = L.bounds(sight.min.add([0, 8]), sight.max.subtract([0, 8]));
    const put = (text, at, angle, width) => {
      const boxes = boxesAlong(at, angle, width, 7);
      occupied.take(boxes);
      written.take(boxes);
      placed.set(text, [...(placed.get(text) ?? []), at]);
      write(pen, text, at, angle);
    };
    const isInSight = (at, angle, width) => [-1, 1].every((side) => {
      const half = side * (width / 2 + 4);
      return inner.contains(at.add([half * Math.cos(angle), half * Math.sin(angle)]));
    });
    const isGood = (text, angle, width, { wholly = false } = {}) => (at) => {
      const boxes = boxesAlong(at, angle, width, 7);
      return (!wholly || isInSight(at, angle, width)) && occupied.isFree(boxes)
        && isNearest(boxesAlong(at, angle, width / 2, 7), text);
    };
    const setName = ({ text, at, angle, room }, aside, options) => {
      const width = pen.measureText(text).width;
      if (width > room * pixels * 1.05) return;
      if ((placed.get(text) ?? []).some((other) => other.distanceTo(at) < SAME_STREET)) return;
      const [dx, dy] = [Math.sin(angle), -Math.cos(angle)];
      const spare = Math.max(0, (room * pixels - width) / 2);
      const places = aside.flatMap((by) => [0, spare, -spare, spare / 2, -spare / 2].map(
        (along) => at.add([dx * by - dy * along, dy * by + dx * along]),
      ));
      const found = places.find(isGood(text, angle, width, options));
      if (found) put(text, found, angle, width);
    };
    // Next to any piece of it that is walked, also where the name is longer than the street.
    const setByPiece = ({ text, ends }) => {
      const width = pen.measureText(text).width;
      for (const [a, b] of ends) {
        const angle = Math.atan((b.y - a.y) / (b.x - a.x || 1e-9));
        const at = a.add(b).divideBy(2);
        const places = ASIDE.map((by) => at.add([Math.sin(angle) * by, -Math.cos(angle) * by]));
        const found = places.find(isGood(text, angle, width, { wholly: true }));
        if (found) {
          put(text, found, angle, width);
          return;
        }
      }
    };
    // Level, in free space, with a thin line to its street.
    const setByLine = ({ text, ends }) => {
      const width = pen.measureText(text).width;
      /** @type {any} */
      let best = null;
      ends.forEach(([a, b]) => {
        const from = a.add(b).divideBy(2);
        if (!sight.contains(from)) return;
        WAYS.forEach((way) => LINES_LONG.forEach((long) => {
          if (best && long >= best.cost) return;
          const end = from.add([Math.cos(way) * long, Math.sin(way) * long]);
          const at = end.add([Math.cos(way) * (width / 2), Math.sin(way) * 7]);
          const boxes = boxesAlong(at, 0, width, 7);
          if (!isInSight(at, 0, width) || !occupied.isFree(boxes)) return;
          const line = boxesOnLine([end, from], 2);
          if (!written.isFree(line)) return;
          const cost = long + (route.isFree(line.slice(0, -4)) ? 0 : CROSSING_COST);
          if (!best || cost < best.cost) best = { cost, from, end, at, line };
        }));
      });
      if (!best) return;
      pen.save();
      Object.assign(pen, { strokeStyle: "#2b2b2b", lineWidth: 1.3 });
      pen.beginPath();
      pen.moveTo(best.from.x, best.from.y);
      pen.lineTo(best.end.x, best.end.y);
      pen.stroke();
      pen.beginPath();
      pen.arc(best.from.x, best.from.y, 2.5, 0, 7);
      pen.fill();
      pen.restore();
      occupied.take(best.line);
      written.take(best.line);
      put(text, best.at, 0, width);
    };

    const candidates = labels.map((label) => ({ ...label, at: map.latLngToLayerPoint(label.at) }))
      .filter(({ at }) => bounds.contains(at));
    const isWalked = candidates.map(({ at }) => !route.isFree([{ x: at.x, y: at.y, r: 5 }]));
    const isFine = ({ rank }) => rank <= 2 || map.getZoom() >= 16.5;
    const inSight = candidates.map(({ at }) => sight.contains(at));
    const streets = listWalked().map((street) => ({
      ...street,
      ends: street.pieces.map((piece) => [piece[0], piece[piece.length - 1]].map((at) => map.latLngToLayerPoint(at)))
        .filter((ends) => ends.some((at) => sight.contains(at))),
    })).filter(({ ends }) => ends.length).sort((a, b) => a.ends.length - b.ends.length);
    const left = () => streets.filter(({ text }) => !placed.has(text));
    // What is in sight comes before the margin that is drawn for the next move of the map.
    candidates.forEach((label, row) => inSight[row] && isWalked[row] && setName(label, ASIDE, { wholly: true }));
    SIZES.forEach((size) => {
      setFont(pen, size);
      left().forEach(setByPiece);
    });
    left().forEach(setByLine);
    setFont(pen, SIZES[0]);
    candidates.forEach((label, row) => inSight[row] && isFine(label) && !isWalked[row] && setName(label, [0]));
    candidates.forEach((label, row) => !inSight[row] && isFine(label) && setName(label, isWalked[row] ? ASIDE : [0]));
    return left().map(({ text }) => text);
  };
  return { draw, writeFree, setFont: (pen) => setFont(pen, SIZES[0]) };
};
