"use strict";

// Land, parks, water, railways and streets, below all that is drawn on them.
const makeGround = ({ map, data, pieces, ground }) => {
  const STREETS = [
    { weight: 7, casing: 9, color: "#ffffff" },
    { weight: 5.5, casing: 7.5, color: "#ffffff" },
    { weight: 4, casing: 5.5, color: "#ffffff" },
    { weight: 2.5, casing: 4, color: "#ffffff" },
    { weight: 1.3, color: "#8c8376", dashArray: "4 3" },
  ];
  const scale = () => Math.min(1.8, Math.max(0.35, 2 ** ((map.getZoom() - 16.5) / 2)));
  const flat = { lineCap: "butt", lineJoin: "round", opacity: 1 };

  // Neighbouring pieces become one line, so that dashes run on.
  const withDigit = (digits, wanted) => {
    const lines = [];
    let last = null;
    pieces.forEach((piece, number) => {
      if (digits[number] !== String(wanted)) return;
      const end = last && last[last.length - 1];
      if (end && end[0] === piece[0][0] && end[1] === piece[0][1]) last.push(...piece.slice(1));
      else lines.push((last = piece.slice()));
    });
    return lines;
  };
  const area = (kind, color) => {
    const rings = unpack(data.ground[kind]);
    if (rings.length) L.polygon(rings, { ...ground, stroke: false, fillColor: color, fillOpacity: 1 }).addTo(map);
  };
  const line = (kind, style) => {
    const lines = unpack(data.ground[kind]);
    if (lines.length) L.polyline(lines, { ...ground, ...flat, ...style }).addTo(map);
  };
  const drawLand = () => {
    area("park", "#d3e6c5");
    area("water", "#b5d5ea");
    area("building", "#e2dbd1");
    line("stream", { color: "#8dbcdb", weight: 3 });
    line("railway", { color: "#6f6f6f", weight: 3 });
    line("railway", { color: "#ffffff", weight: 1.6, dashArray: "8 8" });
  };
  // Returns the layers with their widths at the zoom of streets.
  const drawStreets = () => {
    const drawn = STREETS.map((style, rank) => ({ style, lines: withDigit(data.streets.rank, rank) }))
      .filter(({ lines }) => lines.length).reverse();
    const add = (lines, style, weight) => ({
      layer: L.polyline(lines, { ...ground, lineCap: "round", ...style, opacity: 1 }).addTo(map), weight,
    });
    const edges = drawn.filter(({ style }) => style.casing).map(({ style, lines }) => add(lines, { color: "#a39b8e" }, style.casing));
    return [...edges, ...drawn.map(({ style, lines }) => add(lines, style, style.weight))];
  };
  const setWidths = (layers) => layers.forEach(({ layer, weight }) => layer.setStyle({ weight: weight * scale() }));
  return { drawLand, drawStreets, setWidths, withDigit, scale, flat };
};
