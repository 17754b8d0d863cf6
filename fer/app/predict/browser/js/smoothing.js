/** Probabilities averaged over seconds, and labels that change only when another leads for good: fer/inference/smoothing.py. */

/** @import {Constants} from "./types.d.ts" */

export class ProbabilitySmoother {
  /** @param {Constants["smoothing"]} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {number[] | null} */
    this.probabilities = null;
    this.label = -1;
    this.timeS = 0;
    this.rival = -1;
    this.rivalSinceS = 0;
  }

  /** @param {number[]} fresh @param {number} timeS @param {number} constantS */
  update(fresh, timeS, constantS) {
    if (this.probabilities === null) {
      this.probabilities = fresh;
      this.label = leading(fresh);
    } else {
      const share = constantS <= 0 ? 1 : 1 - Math.exp(-Math.max(timeS - this.timeS, 0) / constantS);
      this.probabilities = this.probabilities.map((old, index) => old + share * (fresh[index] - old));
      this.decide(this.probabilities, timeS, constantS);
    }
    this.timeS = timeS;
    return this.probabilities;
  }

  /** @param {number[]} probabilities @param {number} timeS @param {number} constantS */
  decide(probabilities, timeS, constantS) {
    const leader = leading(probabilities);
    if (leader === this.label) {
      this.rival = -1;
      return;
    }
    if (leader !== this.rival) [this.rival, this.rivalSinceS] = [leader, timeS];
    const lead = probabilities[leader] - probabilities[this.label];
    if (constantS <= 0 || lead >= this.settings.margin || timeS - this.rivalSinceS >= this.settings.holdS) {
      [this.label, this.rival] = [leader, -1];
    }
  }
}

/** @param {number[]} values */
export function leading(values) {
  return values.indexOf(Math.max(...values));
}
