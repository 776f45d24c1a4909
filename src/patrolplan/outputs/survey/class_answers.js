"use strict";

// What a class has answered so far, in this page's memory alone. Each place that was marked goes to
// a random position among the others, so that nothing says which were of one pupil, or when.
const makeClassAnswers = ({ form, school, least_pupils: least }) => {
  const SPAN = 2 ** 32;
  // Every whole number below the limit is as likely as any other.
  const randomBelow = (limit) => {
    const even = SPAN - (SPAN % limit);
    let value = even;
    while (value >= even) [value] = crypto.getRandomValues(new Uint32Array(1));
    return value % limit;
  };
  const toDay = (time) => [time.getFullYear(), time.getMonth() + 1, time.getDate()].map((part) => String(part).padStart(2, "0")).join("-");

  const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const answers = [];
  let [pupils, day] = [0, null];
  let saved = { pupils: 0, text: null };
  const add = (places) => {
    places.forEach((place) => answers.splice(randomBelow(answers.length + 1), 0, place));
    day = day ?? toDay(new Date());
    pupils += 1;
  };
  const countFresh = () => pupils - saved.pupils;
  // Two files that differ by a few pupils would show what these few have answered.
  const canRenew = () => countFresh() >= least;
  const write = () => {
    if (canRenew()) {
      saved = { pupils, text: JSON.stringify({ form, id, school_urn: school.urn, day, pupils, answers }) };
    }
    return saved.text;
  };
  return {
    add,
    write,
    canRenew,
    countFresh,
    countPupils: () => pupils,
    countSaved: () => saved.pupils,
    fileName: `survey-${school.urn}-${id.slice(0, 8)}.json`,
  };
};
