"use strict";

// Numbers are steps of a millionth of a degree from point to point, through all lines.
const unstep = (steps) => {
  let [lat, lng] = [0, 0];
  const points = [];
  for (let i = 0; i < steps.length; i += 2) {
    lat += steps[i];
    lng += steps[i + 1];
    points.push([lat / 1e6, lng / 1e6]);
  }
  return points;
};
const unpack = ({ counts, steps }) => {
  const points = unstep(steps);
  let at = 0;
  return counts.map((count) => points.slice(at, (at += count)));
};
