/** Probabilities averaged over seconds, as fer/inference/smoothing.py does. */

export class ProbabilitySmoother {
  constructor() {
    /** @type {number[] | null} */
    this.probabilities = null;
    this.timeS = 0;
  }

  /** @param {number[]} fresh @param {number} timeS @param {number} constantS */
  update(fresh, timeS, constantS) {
    if (this.probabilities === null) {
      this.probabilities = fresh;
    } else {
      const share = constantS <= 0 ? 1 : 1 - Math.exp(-Math.max(timeS - this.timeS, 0) / constantS);
      this.probabilities = this.probabilities.map((old, index) => old + share * (fresh[index] - old));
    }
    this.timeS = timeS;
    return this.probabilities;
  }
}
