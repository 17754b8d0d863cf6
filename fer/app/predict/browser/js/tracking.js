/** Who is who from frame to frame, as fer/vision/tracking.py and fer/inference/tracked_reader.py follow people. */

import { area, clamp, scaled } from "./detection.js";
import { judge } from "./judgement.js";
import { ProbabilitySmoother } from "./smoothing.js";

/** @import {Box, Card, Constants, Face, Picture, Point, Reading, Settings} from "./types.d.ts" */
/** @import {Recognizer} from "./recognizer.js" */
/** @typedef {{number: number, center: Point, side: number, velocity: Point, timeS: number, missed: number}} Track */

export class FaceTracker {
  /** @param {Constants["tracking"]} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {Track[]} */
    this.tracks = [];
    this.timeS = 0;
    this.numbers = 0;
  }

  /** The person's number, from 1, of each box of a frame. @param {Box[]} boxes @param {number} timeS */
  update(boxes, timeS) {
    const { patienceS, stallS } = this.settings;
    if (timeS < this.timeS || timeS - this.timeS > stallS) this.tracks = [];
    this.timeS = timeS;
    this.tracks = this.tracks.filter((track) => track.missed <= 1 || timeS - track.timeS <= patienceS);
    const centers = boxes.map((box) => /** @type {Point} */ ([box.x + box.width / 2, box.y + box.height / 2]));
    const sides = boxes.map((box) => Math.sqrt(Math.max(area(box), 1e-6)));
    const costs = boxes.map((_, row) => this.tracks.map((track) => this.cost(track, centers[row], sides[row], timeS)));
    for (const track of this.tracks) track.missed += 1;
    const numbers = boxes.map(() => 0);
    for (const [row, column] of cheapestPairs(costs, this.settings.alone)) {
      this.move(this.tracks[column], centers[row], sides[row], timeS);
      numbers[row] = this.tracks[column].number;
    }
    numbers.forEach((number, row) => {
      if (number) return;
      numbers[row] = ++this.numbers;
      this.tracks.push({ number: this.numbers, center: centers[row], side: sides[row], velocity: [0, 0], timeS, missed: 0 });
    });
    return numbers;
  }

  /** @param {Track} track @param {Point} center @param {number} side @param {number} timeS */
  move(track, center, side, timeS) {
    const passed = timeS - track.timeS;
    if (passed > 0) {
      const share = 1 - Math.exp(-passed / this.settings.memoryS);
      for (const axis of [0, 1]) {
        track.velocity[axis] += share * ((center[axis] - track.center[axis]) / passed - track.velocity[axis]);
      }
    }
    Object.assign(track, { center, side, timeS, missed: 0 });
  }

  /** How unlikely it is that this is that person. @param {Track} track @param {Point} center @param {number} side @param {number} timeS */
  cost(track, center, side, timeS) {
    const [size, passed] = [Math.max(track.side, side), timeS - track.timeS];
    const [x, y] = [center[0] - track.center[0], center[1] - track.center[1]];
    const still = Math.hypot(x, y) / size;
    const expected = Math.min(passed, this.settings.patienceS);
    const moved = Math.hypot(x - track.velocity[0] * expected, y - track.velocity[1] * expected) / size;
    const growth = Math.abs(Math.log(side / track.side));
    const distance = Math.min(moved, still + this.settings.stopped);
    const reach = this.settings.reach * clamp(Math.sqrt(passed / this.settings.patienceS), 1, this.settings.farthest);
    return distance <= reach && growth <= this.settings.growth ? distance + growth : Infinity;
  }
}

/** Costs -> pairs (row, column), each used once, as many as are finite, with the least sum: by augmenting paths. @param {number[][]} given @param {number} alone @returns {[number, number][]} */
export function cheapestPairs(given, alone) {
  const rows = given.length;
  const real = rows ? given[0].length : 0;
  const costs = given.map((row) => [...row, ...Array(rows).fill(alone)]);
  const columns = Array.from({ length: real + rows }, (_, column) => column);
  const match = columns.map(() => -1);
  for (let start = 0; start < rows; start++) {
    const [distance, came] = [[...costs[start]], columns.map(() => -1)];
    for (let shorter = true; shorter; ) {
      shorter = false;
      for (const middle of columns) {
        const row = match[middle];
        if (row < 0 || !Number.isFinite(distance[middle])) continue;
        for (const end of columns) {
          const length = distance[middle] - costs[row][middle] + costs[row][end];
          if (length < distance[end] - 1e-9) [distance[end], came[end], shorter] = [length, middle, true];
        }
      }
    }
    let column = columns.filter((end) => match[end] < 0).reduce((one, other) => (distance[other] < distance[one] ? other : one));
    while (column >= 0) {
      const before = came[column];
      match[column] = before < 0 ? start : match[before];
      column = before;
    }
  }
  const pairs = match.slice(0, real).map((row, column) => /** @type {[number, number]} */ ([row, column]));
  return pairs.filter(([row]) => row >= 0).sort((one, other) => one[0] - other[0]);
}

export class TrackedReader {
  /** @param {Constants} constants */
  constructor(constants) {
    this.constants = constants;
    this.tracker = new FaceTracker(constants.tracking);
    /** @type {Map<number, ProbabilitySmoother>} */
    this.steady = new Map();
  }

  /** One frame -> its faces, the largest first. @param {Recognizer} recognizer @param {Picture} picture @param {number} timeS @param {Settings} settings */
  async read(recognizer, picture, timeS, settings) {
    const boxes = await recognizer.detect(picture, settings.longSide);
    const readings = await recognizer.read(picture, boxes);
    const factor = this.constants.tracking.trackedSide / Math.max(picture.width, picture.height);
    const people = this.tracker.update(boxes.map((box) => scaled(box, factor)), timeS);
    const alive = new Set(this.tracker.tracks.map((track) => track.number));
    for (const person of [...this.steady.keys()]) if (!alive.has(person)) this.steady.delete(person);
    return people.map((person, index) => this.follow(person, readings[index], timeS, settings.smoothingS, recognizer.card));
  }

  /** @param {number} person @param {Reading} reading @param {number} timeS @param {number} smoothingS @param {Card} card @returns {Face} */
  follow(person, { box, probabilities: raw, reasons }, timeS, smoothingS, card) {
    const steady = this.steady.get(person) ?? new ProbabilitySmoother();
    this.steady.set(person, steady);
    if (!reasons.length) steady.update(raw, timeS, smoothingS);
    const probabilities = steady.probabilities ?? raw; // a face that cannot be read says nothing: what was seen before stays
    return { person, box, probabilities, raw, ...judge(probabilities, !reasons.length, card), reasons };
  }
}
