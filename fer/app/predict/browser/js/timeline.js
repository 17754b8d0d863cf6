/** Who was there when, as fer/inference/timeline.py tells it: who is there now first, short tracks joined. */

/** @import {Box, Constants} from "./types.d.ts" */
/** @typedef {{timeS: number, person: number, box: Box}} Seen */

/** The people of these rows, each by their numbers and rows. @template {Seen} T @param {T[]} rows by time @param {number} nowS @param {Constants["timeline"]} constants @returns {{numbers: number[], rows: T[]}[]} */
export function people(rows, nowS, constants) {
  const tracks = /** @type {Map<number, T[]>} */ (new Map());
  for (const row of rows) {
    const track = tracks.get(row.person);
    if (track) track.push(row);
    else tracks.set(row.person, [row]);
  }
  const found = /** @type {T[][][]} */ ([]); // a person's tracks, in order
  for (const track of tracks.values()) {
    const costs = found.map((person) => cost(person[person.length - 1], track, constants));
    const least = Math.min(...costs);
    if (Number.isFinite(least)) found[costs.indexOf(least)].push(track);
    else found.push([track]);
  }
  const persons = found.map((each) => ({ numbers: each.map((track) => track[0].person), rows: each.flat() }));
  return persons.sort((one, other) => {
    const [here, there] = [one, other].map((person) => nowS - last(person.rows).timeS <= constants.hereS);
    const often = other.rows.length - one.rows.length || one.numbers[0] - other.numbers[0];
    if (here !== there) return here ? -1 : 1;
    return here ? often : last(other.rows).timeS - last(one.rows).timeS || often;
  });
}

/** How far apart two tracks are, in sides of the box; infinite where they are two people. @param {Seen[]} before @param {Seen[]} after @param {Constants["timeline"]} constants */
function cost(before, after, { awayS, near, briefS, briefGapS, growth, briefGrowth }) {
  const [leftS, cameS] = [last(before).timeS, after[0].timeS];
  if (cameS <= leftS) return Infinity;
  const [one, other] = [last(before).box, after[0].box];
  const brief = Math.min(leftS - before[0].timeS, last(after).timeS - cameS) < briefS && cameS - leftS <= briefGapS;
  const grown = Math.abs(Math.log(side(other) / side(one)));
  const distance = Math.hypot(one.x + one.width / 2 - other.x - other.width / 2, one.y + one.height / 2 - other.y - other.height / 2) / Math.max(side(one), side(other));
  const fits = (brief || cameS - leftS <= awayS) && grown <= (brief ? briefGrowth : growth) && distance <= near;
  return fits ? distance + grown : Infinity;
}

/** @template T @param {T[]} items @returns {T} */
function last(items) {
  return items[items.length - 1];
}

/** @param {Box} box */
function side({ width, height }) {
  return Math.sqrt(Math.max(width * height, 1e-6));
}
