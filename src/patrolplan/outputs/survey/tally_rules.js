"use strict";

// What a tally may hold. A problem names the field that it belongs to, and says in a sentence what
// is wrong; `open` ones are of a row that is not complete yet, and wait until it is added.
const makeTallyRules = ({ questions, max_places: maxPlaces, most_pupils: most, least_pupils: least }) => {
  const count = (number, one, several = `${one}s`) => `${number} ${number === 1 ? one : several}`;
  const marked = (pupils, label) => `only ${count(pupils, "pupil")} marked ${label || "this square"}`;
  const sum = (numbers) => Object.values(numbers).reduce((total, number) => total + number, 0);

  // `numbers` are read from fields: null stands for what is no whole number in range.
  const isNumber = (number) => number !== null;
  /** @returns {{ field: string, words: string, open?: boolean }[]} */
  const findBadNumbers = (fields) => Object.entries(fields)
    .filter(([, number]) => !isNumber(number))
    .map(([field]) => ({ field, words: `Enter a whole number from 0 to ${most}.` }));

  const checkQuestion = ({ column, words, choices }, { label, pupils, counts }) => {
    const own = counts[column];
    const numbers = choices.map(({ value }) => own[value]);
    if (!isNumber(pupils) || !numbers.every(isNumber)) return [];
    const high = choices.filter(({ value }) => own[value] > pupils).map(({ value, words: choice }) => ({
      field: `${column}-${value}`,
      words: `“${choice}” has ${count(own[value], "stroke")}, but ${marked(pupils, label)}.`,
    }));
    if (high.length || sum(own) <= pupils) return high;
    return [{
      field: column,
      words: `“${words}” has ${count(sum(own), "stroke")} in all, but ${marked(pupils, label)}: each pupil puts one at most.`,
    }];
  };

  // A row: { label, pupils, counts: { column: { value: number } } }.
  const checkRow = (row, { classPupils, taken }) => {
    const fields = { "square-pupils": row.pupils };
    questions.forEach(({ column, choices }) => choices.forEach(({ value }) => {
      fields[`${column}-${value}`] = row.counts[column][value];
    }));
    const problems = findBadNumbers(fields);
    if (!row.label) {
      problems.unshift({ field: "square", words: "Choose the letter and the number of the square.", open: true });
    } else if (taken.has(row.label)) {
      problems.unshift({ field: "square", words: `${row.label} is entered already: press Change in its row below.` });
    }
    if (row.pupils === 0) {
      problems.push({ field: "square-pupils", words: "Enter how many pupils marked this square.", open: true });
    }
    if (isNumber(row.pupils) && classPupils && row.pupils > classPupils) {
      problems.push({ field: "square-pupils", words: `This is more than the ${count(classPupils, "pupil")} who took part.` });
    }
    // Without its pupils a row is only begun: its strokes are compared once they are entered.
    if (row.pupils) problems.push(...questions.flatMap((question) => checkQuestion(question, row)));
    return problems;
  };

  const checkClass = (pupils) => {
    if (!isNumber(pupils)) return findBadNumbers({ "class-pupils": pupils });
    if (!pupils) return [{ field: "class-pupils", words: "Enter how many pupils took part." }];
    if (pupils >= least) return [];
    return [{
      field: "class-pupils",
      words: `A file needs at least ${least} pupils: one of fewer would show what each of them marked.`,
    }];
  };

  const checkRows = (rows, pupils) => {
    const larger = rows.find((row) => row.pupils > pupils);
    if (larger) {
      return [{
        field: "rows",
        words: `${larger.label} has ${count(larger.pupils, "pupil")}, but only ${pupils} took part.`,
      }];
    }
    const total = rows.reduce((so, row) => so + row.pupils, 0);
    if (total <= maxPlaces * pupils) return [];
    return [{
      field: "rows",
      words: `The rows add up to ${total} marks, but ${count(pupils, "pupil")} can mark ${maxPlaces * pupils} squares at most, ${maxPlaces} each.`,
    }];
  };

  // `day` is { year, month, date } as chosen; the future and the 30th of February are refused.
  const checkDay = ({ year, month, date }, now) => {
    const chosen = new Date(year, month - 1, date);
    if (chosen.getDate() !== date) return [{ field: "day", words: "There is no such day. Choose another." }];
    return chosen > now ? [{ field: "day", words: "This day is still to come. Choose the day of the lesson." }] : [];
  };

  return { checkRow, checkRows, checkClass, checkDay, count, sum };
};
