/** What to make of one face's calibrated probabilities, as Card.judge in fer/models/card.py does. */

/** @import {Card} from "./types.d.ts" */

/** The class that leads, whether that is sure, and the set, the most probable first. @param {number[]} probabilities @param {boolean} fit to be read @param {Card} card */
export function judge(probabilities, fit, { threshold, sets }) {
  const order = probabilities.map((_, index) => index).sort((one, other) => probabilities[other] - probabilities[one]);
  let sum = 0;
  const inside = order.filter((index, place) => {
    sum += probabilities[index];
    return sets && (!place || (sets.method === "lac" ? 1 - probabilities[index] : Math.min(sum, 1)) <= sets.limits[index]);
  });
  const lowest = Math.min(...inside.map((index) => probabilities[index])); // who is more probable is in, too
  return { label: order[0], sure: fit && probabilities[order[0]] >= threshold, set: order.filter((index) => probabilities[index] >= lowest) };
}
