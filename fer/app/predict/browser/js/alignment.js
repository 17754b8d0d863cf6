/** Cut a face out, upright and gray, as fer/vision/alignment.py does. */

import { area, clamp, halfUp, round } from "./detection.js";

/** @import {Box, Constants, Crop, Picture, Point} from "./types.d.ts" */

/** The square to cut: the mean of what the box and the landmarks say. @param {Box} box @param {Constants["alignment"]} a @returns {Crop} */
export function faceCrop(box, a) {
  const roll = rollOf(box);
  const middle = /** @type {Point} */ ([box.x + box.width / 2, box.y + box.height / 2]);
  const byBox = square(middle, a.boxCenter, Math.sqrt(area(box)) / a.boxSide, roll, a.reference);
  const [across, down] = units(box, a);
  const byEyes = byLandmarks(box, (across + down) / 2, roll, a);
  return {
    centerX: (byBox.centerX + byEyes.centerX) / 2,
    centerY: (byBox.centerY + byEyes.centerY) / 2,
    side: (byBox.side + byEyes.side) / 2,
    roll,
  };
}

/** The square around the face that the landmarks belong to, whether or not the picture holds all of it. @param {Box} box @param {Constants["alignment"]} a */
export function wholeFace(box, a) {
  return byLandmarks(box, Math.max(...units(box, a)), rollOf(box), a);
}

/** @param {Box} box */
function rollOf({ landmarks: [right, left] }) {
  return Math.atan2(left[1] - right[1], left[0] - right[0]);
}

/** Pixels for one of the reference: by the eyes' distance, and by that to the mouth. @param {Box} box @param {Constants["alignment"]} a */
function units({ landmarks: [right, left, , mouthRight, mouthLeft] }, a) {
  const [eyes, mouth] = [between(right, left), between(mouthRight, mouthLeft)];
  return [Math.hypot(left[0] - right[0], left[1] - right[1]) / a.eyeDistance, Math.hypot(mouth[0] - eyes[0], mouth[1] - eyes[1]) / a.eyesToMouth];
}

/** @param {Box} box @param {number} unit @param {number} roll @param {Constants["alignment"]} a */
function byLandmarks({ landmarks: [right, left, , mouthRight, mouthLeft] }, unit, roll, a) {
  const middle = between(between(right, left), between(mouthRight, mouthLeft));
  return square(middle, a.eyesMouthMiddle, unit, roll, a.reference);
}

/** @param {Point} one @param {Point} other @returns {Point} */
function between(one, other) {
  return [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
}

/** @param {Point} anchor @param {Point} inReference @param {number} unit @param {number} roll @param {number} reference @returns {Crop} */
function square(anchor, inReference, unit, roll, reference) {
  const [dx, dy] = [(reference / 2 - inReference[0]) * unit, (reference / 2 - inReference[1]) * unit];
  const [cosine, sine] = [Math.cos(roll), Math.sin(roll)];
  return { centerX: anchor[0] + cosine * dx - sine * dy, centerY: anchor[1] + sine * dx + cosine * dy, side: reference * unit, roll };
}

/** The content of the square, its pixels averaged where it shrinks: (size * size) grays. @param {Picture} picture @param {Crop} crop @param {number} size @param {Constants["alignment"]} a */
export function cut(picture, crop, size, a) {
  const supersampling = clamp(Math.ceil(crop.side / size), 1, a.maxSupersampling);
  const fine = size * supersampling;
  const [cosine, sine] = [Math.cos(crop.roll) * (crop.side / fine), Math.sin(crop.roll) * (crop.side / fine)];
  const middle = (fine - 1) / 2;
  const left = crop.centerX - 0.5 - (cosine - sine) * middle;
  const top = crop.centerY - 0.5 - (sine + cosine) * middle;
  // As OpenCV shrinks by a whole factor: exactly two has a way of its own, and rounds otherwise.
  const [share, nearest] = [Math.fround(1 / supersampling ** 2), supersampling === 2 ? halfUp : round];
  const face = new Uint8Array(size * size);
  const sums = new Float32Array(size);
  const grays = grayWindow(picture, ([0, fine - 1]).flatMap((row) => [0, fine - 1].map((column) => /** @type {Point} */ ([
    cosine * column - sine * row + left,
    sine * column + cosine * row + top,
  ]))), a);
  // OpenCV's warpAffine adds a step for the column to one for the row, each a whole number of 1/1024 pixels, and reads
  // at the next 1/32 pixel: as it does, so that faces are the same gray by gray.
  const steps = Array.from({ length: fine }, (_, column) => [Math.round(1024 * cosine * column), Math.round(1024 * sine * column)]);
  for (let row = 0; row < fine; row++) {
    if (row % supersampling === 0) sums.fill(0);
    const [startX, startY] = [Math.round(1024 * (left - sine * row)) + 16, Math.round(1024 * (top + cosine * row)) + 16];
    for (let column = 0; column < fine; column++) {
      const [x, y] = [(startX + steps[column][0]) >> 5, (startY + steps[column][1]) >> 5];
      sums[Math.floor(column / supersampling)] += sample(grays, x / 32, y / 32);
    }
    if (row % supersampling === supersampling - 1) {
      const start = size * Math.floor(row / supersampling);
      for (let column = 0; column < size; column++) face[start + column] = nearest(Math.fround(sums[column] * share));
    }
  }
  return face;
}

/** The grays of the part of the picture that the corners span; outside the picture its edge repeats. @param {Picture} picture @param {Point[]} corners @param {Constants["alignment"]} a */
function grayWindow({ data, width, height }, corners, { grayWeights: [red, green, blue], grayShift }) {
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [left, top] = [Math.floor(Math.min(...xs)) - 1, Math.floor(Math.min(...ys)) - 1];
  const [columns, rows] = [Math.ceil(Math.max(...xs)) + 2 - left, Math.ceil(Math.max(...ys)) + 2 - top];
  const grays = new Uint8Array(columns * rows);
  const half = 1 << (grayShift - 1);
  for (let row = 0; row < rows; row++) {
    const line = width * clamp(top + row, 0, height - 1);
    for (let column = 0; column < columns; column++) {
      const at = 4 * (line + clamp(left + column, 0, width - 1));
      grays[row * columns + column] = (data[at] * red + data[at + 1] * green + data[at + 2] * blue + half) >> grayShift;
    }
  }
  return { grays, left, top, columns };
}

/** The gray between four pixels. @param {{grays: Uint8Array, left: number, top: number, columns: number}} window @param {number} x @param {number} y */
function sample({ grays, left, top, columns }, x, y) {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [dx, dy] = [x - column, y - row];
  const at = (row - top) * columns + column - left;
  const upper = (1 - dx) * grays[at] + dx * grays[at + 1];
  const lower = (1 - dx) * grays[at + columns] + dx * grays[at + columns + 1];
  return Math.round((1 - dy) * upper + dy * lower);
}
