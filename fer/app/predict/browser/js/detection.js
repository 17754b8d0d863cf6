/** Find faces as fer/vision/detection.py does: YuNet within a bounded search size, one box a face. */

/** @import {Box, Constants, Picture, Point} from "./types.d.ts" */

/** To the nearest whole number, halves to the even one, as Python rounds. @param {number} value */
export function round(value) {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low % 2) : Math.round(value);
}

/**
 * What each pixel of a shrunk line averages: the first pixel of the source, and the weights from there on.
 * @param {number} source @param {number} target @returns {{first: number, weights: number[]}[]}
 */
function areas(source, target) {
  const scale = source / target;
  return Array.from({ length: target }, (_, index) => {
    const [from, to] = [index * scale, Math.min((index + 1) * scale, source)];
    const first = Math.floor(from + 1e-9);
    const last = Math.ceil(to - 1e-9);
    const weights = [];
    for (let place = first; place < last; place++) weights.push((Math.min(to, place + 1) - Math.max(from, place)) / (to - from));
    return { first, weights };
  });
}

/**
 * A picture as YuNet takes it: shrunk by averaging to long_side at most, planes of blue, green and red, padded with
 * zeros at the right and the bottom.
 * @param {Picture} picture @param {number} longSide @param {number} divisor
 */
export function networkInput({ data, width, height }, longSide, divisor) {
  const factor = Math.min(1, longSide / Math.max(width, height));
  const [columns, rows] = [Math.max(round(width * factor), 1), Math.max(round(height * factor), 1)];
  const [padded, high] = [Math.ceil(columns / divisor) * divisor, Math.ceil(rows / divisor) * divisor];
  const planes = new Float32Array(3 * padded * high);
  const [across, down] = [areas(width, columns), areas(height, rows)];
  const line = new Float32Array(3 * width);
  for (let row = 0; row < rows; row++) {
    line.fill(0);
    down[row].weights.forEach((weight, step) => {
      const start = 4 * width * (down[row].first + step);
      for (let x = 0, from = start; x < 3 * width; x += 3, from += 4) {
        line[x] += weight * data[from];
        line[x + 1] += weight * data[from + 1];
        line[x + 2] += weight * data[from + 2];
      }
    });
    for (let column = 0; column < columns; column++) {
      const { first, weights } = across[column];
      let [red, green, blue] = [0, 0, 0];
      for (let step = 0, from = 3 * first; step < weights.length; step++, from += 3) {
        red += weights[step] * line[from];
        green += weights[step] * line[from + 1];
        blue += weights[step] * line[from + 2];
      }
      const to = row * padded + column;
      planes[to] = Math.round(blue);
      planes[to + padded * high] = Math.round(green);
      planes[to + 2 * padded * high] = Math.round(red);
    }
  }
  return { planes, width: padded, height: high, factor };
}

/**
 * YuNet's outputs -> boxes in pixels of its input, as OpenCV's FaceDetectorYN decodes and thins them.
 * @param {Record<string, {data: Float32Array}>} outputs @param {number} width of the input
 * @param {Constants["detection"]} settings @returns {Box[]}
 */
export function decode(outputs, width, settings) {
  const found = /** @type {Box[]} */ ([]);
  for (const stride of settings.strides) {
    const [classes, objects, boxes, points] = ["cls", "obj", "bbox", "kps"].map((name) => outputs[`${name}_${stride}`].data);
    const columns = Math.floor(width / stride);
    for (let index = 0; index < classes.length; index++) {
      const score = Math.sqrt(clamp(classes[index], 0, 1) * clamp(objects[index], 0, 1));
      if (score < settings.threshold) continue;
      const [column, row] = [index % columns, Math.floor(index / columns)];
      const [dx, dy, wide, high] = boxes.subarray(4 * index, 4 * index + 4);
      const size = [Math.exp(wide) * stride, Math.exp(high) * stride];
      const landmarks = Array.from({ length: 5 }, (_, point) => /** @type {Point} */ ([
        (points[10 * index + 2 * point] + column) * stride,
        (points[10 * index + 2 * point + 1] + row) * stride,
      ]));
      const [x, y] = [(column + dx) * stride - size[0] / 2, (row + dy) * stride - size[1] / 2];
      found.push({ x, y, width: size[0], height: size[1], score, landmarks });
    }
  }
  const kept = /** @type {Box[]} */ ([]);
  for (const box of found.sort((one, other) => other.score - one.score)) {
    if (kept.every((other) => shared(whole(box), whole(other)) <= settings.nms)) kept.push(box);
  }
  return kept;
}

/** OpenCV compares boxes of whole pixels. @param {Box} box */
function whole(box) {
  return { ...box, x: Math.trunc(box.x), y: Math.trunc(box.y), width: Math.trunc(box.width), height: Math.trunc(box.height) };
}

/** Intersection over union. @param {Box} one @param {Box} other */
function shared(one, other) {
  const both = intersection(one, other);
  return both / Math.max(one.width * one.height + other.width * other.height - both, 1e-12);
}

/** @param {Box} one @param {Box} other */
function intersection(one, other) {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return Math.max(width, 0) * Math.max(height, 0);
}

/** One box a face, the largest first. @param {Box[]} boxes @param {number} mergeOverlap */
export function merge(boxes, mergeOverlap) {
  const kept = /** @type {Box[]} */ ([]);
  for (const box of [...boxes].sort((one, other) => other.score - one.score)) {
    const smaller = (/** @type {Box} */ other) => Math.min(area(box), area(other));
    if (area(box) > 0 && kept.every((other) => intersection(box, other) / smaller(other) < mergeOverlap)) kept.push(box);
  }
  return kept.sort((one, other) => area(other) - area(one));
}

/** @param {Box} box */
export function area(box) {
  return box.width * box.height;
}

/** @param {Box} box @param {number} factor @returns {Box} */
export function scaled(box, factor) {
  const landmarks = box.landmarks.map(([x, y]) => /** @type {Point} */ ([x * factor, y * factor]));
  return { ...box, x: box.x * factor, y: box.y * factor, width: box.width * factor, height: box.height * factor, landmarks };
}

/** @param {number} value @param {number} low @param {number} high */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
