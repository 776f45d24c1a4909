"use strict";

// What a tally may hold. A problem names the field that it belongs to, and says in a sentence what
// is wrong; `open` ones are of a row that is not complete yet, and wait until it is added. Numbers
// are read from fields: null stands for what is no whole number in range.
const makeTallyRules = ({ questions, max_places: maxPlaces, most_pupils: most, least_pupils: least }) => {
  const NO_NUMBER = `Enter a whole number from 0 to ${most}.`;
  const count = (number, one) => `${number} ${number === 1 ? one : `${one}s`}`;
  const sum = (numbers) => Object.values(numbers).reduce((total, number) => total + number, 0);
  /** @returns {{ field: string, words: string, open?: boolean }[]} */
  const list = (checks) => checks
    .filter(([isWrong]) => isWrong)
    .map(([, field, words, open]) => ({ field, words, open }));

  // Without its pupils a row is only begun: its strokes are compared once they are entered.
  const checkQuestion = ({ column, words, choices }, { label, pupils, counts }) => {
    const own = counts[column];
    if (!pupils || choices.some(({ value }) => own[value] === null)) return [];
    const marked = `only ${count(pupils, "pupil")} marked ${label || "this square"}`;
    const high = list(choices.map(({ value, words: choice }) => [
      own[value] > pupils, `${column}-${value}`, `“${choice}” has ${count(own[value], "stroke")}, but ${marked}.`,
    ]));
    if (high.length) return high;
    return list([[sum(own) > pupils, column, `“${words}” has ${count(sum(own), "stroke")} in all, but ${marked}: each pupil puts one at most.`]]);
  };

  // A row: { label, pupils, counts: { column: { value: number } } }.
  const checkRow = (row, { classPupils, taken }) => {
    const { label, pupils, counts } = row;
    const strokes = questions.flatMap(({ column, choices }) => choices.map(({ value }) => [`${column}-${value}`, counts[column][value]]));
    return [
      ...list([
        [!label, "square", "Choose the letter and the number of the square.", true],
        [taken.has(label), "square", `${label} is entered already: press Change in its row below.`],
        ...[["square-pupils", pupils], ...strokes].map(([field, number]) => [number === null, field, NO_NUMBER]),
        [pupils === 0, "square-pupils", "Enter how many pupils marked this square.", true],
        [classPupils && pupils > classPupils, "square-pupils", `This is more than the ${count(classPupils, "pupil")} who took part.`],
      ]),
      ...questions.flatMap((question) => checkQuestion(question, row)),
    ];
  };

  const checkClass = (pupils) => list([
    [pupils === null, "class-pupils", NO_NUMBER],
    [pupils === 0, "class-pupils", "Enter how many pupils took part."],
    [pupils > 0 && pupils < least, "class-pupils", `A file needs at least ${least} pupils: one of fewer would show what each of them marked.`],
  ]);

  const checkRows = (rows, pupils) => {
    const larger = rows.find((row) => row.pupils > pupils);
    if (larger) return [{ field: "rows", words: `${larger.label} has ${count(larger.pupils, "pupil")}, but only ${pupils} took part.` }];
    const total = sum(rows.map((row) => row.pupils));
    return list([[
      total > maxPlaces * pupils,
      "rows",
      `The rows add up to ${total} marks, but ${count(pupils, "pupil")} can mark ${maxPlaces * pupils} squares at most, ${maxPlaces} each.`,
    ]]);
  };

  // `day` is { year, month, date } as chosen; the future and the 30th of February are refused.
  const checkDay = ({ year, month, date }, now) => {
    const chosen = new Date(year, month - 1, date);
    if (chosen.getDate() !== date) return [{ field: "day", words: "There is no such day. Choose another." }];
    return list([[chosen > now, "day", "This day is still to come. Choose the day of the lesson."]]);
  };

  return { checkRow, checkRows, checkClass, checkDay, count, sum };
};
