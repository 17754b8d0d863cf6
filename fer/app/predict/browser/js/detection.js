/** Find faces as fer/vision/detection.py does: YuNet within a bounded search size, one box a face. */

/** @import {Box, Constants, Picture, Point} from "./types.d.ts" */

/** To the nearest whole number, halves to the even one, as Python rounds. @param {number} value */
export function round(value) {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low % 2) : Math.round(value);
}

/** To the nearest whole number, halves up. @param {number} value */
export function halfUp(value) {
  return Math.floor(value + 0.5);
}

/**
 * What each pixel of a shrunk line averages: the first pixel of the source, and the `reach` weights from there on.
 * @param {number} source @param {number} target
 */
function areas(source, target) {
  const scale = source / target;
  const reach = Math.ceil(scale) + 1;
  const [firsts, weights] = [new Int32Array(target), new Float32Array(target * reach)];
  for (let index = 0; index < target; index++) {
    const [from, to] = [index * scale, Math.min((index + 1) * scale, source)];
    firsts[index] = Math.floor(from + 1e-3);
    for (let place = firsts[index]; place < Math.ceil(to - 1e-3); place++) {
      weights[index * reach + place - firsts[index]] = (Math.min(to, place + 1) - Math.max(from, place)) / (to - from);
    }
  }
  return { firsts, weights, reach };
}

/**
 * A picture as YuNet takes it: shrunk by averaging to longSide at most, planes of blue, green and red, padded with
 * zeros at the right and the bottom. In OpenCV's order and precision, so that it rounds the same way.
 * @param {Picture} picture @param {number} longSide @param {number} divisor
 */
export function networkInput({ data, width, height }, longSide, divisor) {
  const { fround } = Math;
  const factor = Math.min(1, longSide / Math.max(width, height));
  const [columns, rows] = [Math.max(round(width * factor), 1), Math.max(round(height * factor), 1)];
  const [padded, high] = [Math.ceil(columns / divisor) * divisor, Math.ceil(rows / divisor) * divisor];
  const planes = new Float32Array(3 * padded * high);
  const [across, down] = [areas(width, columns), areas(height, rows)];
  const [line, sums] = [new Float32Array(3 * columns), new Float32Array(3 * columns)];
  const nearest = width === 2 * columns && height === 2 * rows ? halfUp : round; // as OpenCV's own way for exactly two
  let shrunk = -1; // the source's row that is in line
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let step = 0; step < down.reach; step++) {
      const weight = down.weights[row * down.reach + step];
      if (weight === 0) break;
      const place = down.firsts[row] + step;
      if (shrunk !== place) shrinkRow(data, 4 * width * place, across, line);
      shrunk = place;
      for (let at = 0; at < sums.length; at++) sums[at] += fround(weight * line[at]);
    }
    for (let column = 0, from = 0, to = row * padded; column < columns; column++, from += 3, to++) {
      planes[to] = nearest(sums[from + 2]);
      planes[to + padded * high] = nearest(sums[from + 1]);
      planes[to + 2 * padded * high] = nearest(sums[from]);
    }
  }
  return { planes, width: padded, height: high, factor };
}

/**
 * One row of the picture, averaged.
 * @param {Uint8ClampedArray} data @param {number} start @param {ReturnType<typeof areas>} across @param {Float32Array} line
 */
function shrinkRow(data, start, { firsts, weights, reach }, line) {
  const { fround } = Math;
  for (let column = 0, to = 0; column < firsts.length; column++, to += 3) {
    let [red, green, blue] = [0, 0, 0];
    for (let step = column * reach, from = start + 4 * firsts[column]; step < (column + 1) * reach; step++, from += 4) {
      const weight = weights[step];
      if (weight === 0) break;
      red = fround(red + fround(weight * data[from]));
      green = fround(green + fround(weight * data[from + 1]));
      blue = fround(blue + fround(weight * data[from + 2]));
    }
    line[to] = red;
    line[to + 1] = green;
    line[to + 2] = blue;
  }
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
