/** Whether a face can be read at all, as fer/vision/quality.py judges it. */

import { wholeFace } from "./alignment.js";

/** @import {Box, Constants} from "./types.d.ts" */

/** The reasons not to read a face; none where it is fit. @param {{width: number, height: number}} picture @param {Box} box @param {Uint8Array} face @param {Constants} constants */
export function assess(picture, box, face, constants) {
  const { reasons, ...q } = constants.quality;
  const { mean, variance } = moments(face);
  const plain = Math.sqrt(variance) < q.plainDeviation;
  return /** @type {[boolean, string][]} */ ([
    [plain, reasons.plain],
    [Math.min(box.width, box.height) < q.minSidePx, reasons.small],
    [mean < q.darkGray, reasons.dark],
    [!plain && sharpness(face) < q.minSharpness, reasons.blurred],
    [turn(box) > q.maxTurn, reasons.turned],
    [mean > q.brightGray, reasons.bright],
    [shareOutside(picture, box, constants) > q.cutShare, reasons.cut],
  ]).flatMap(([fails, reason]) => (fails ? [reason] : []));
}

/** @param {ArrayLike<number>} values */
export function moments(values) {
  let [sum, squares] = [0, 0];
  for (let index = 0; index < values.length; index++) sum += values[index];
  const mean = sum / values.length;
  for (let index = 0; index < values.length; index++) squares += (values[index] - mean) ** 2;
  return { mean, variance: squares / values.length };
}

/** The variance of the Laplacian over the grays' own. @param {Uint8Array} face */
function sharpness(face) {
  const size = Math.sqrt(face.length);
  const laplacian = new Float32Array(face.length);
  const inside = (/** @type {number} */ place) => (place < 0 ? 1 : place < size ? place : size - 2); // mirrored at the edge
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const around = face[size * inside(row - 1) + column] + face[size * inside(row + 1) + column] +
        face[size * row + inside(column - 1)] + face[size * row + inside(column + 1)];
      laplacian[size * row + column] = around - 4 * face[size * row + column];
    }
  }
  return moments(laplacian).variance / Math.max(moments(face).variance, 1);
}

/** @param {Box} box */
function turn({ landmarks: [right, left, nose] }) {
  const [x, y] = [left[0] - right[0], left[1] - right[1]];
  const along = (nose[0] - (right[0] + left[0]) / 2) * x + (nose[1] - (right[1] + left[1]) / 2) * y;
  return Math.abs(along) / Math.max(Math.hypot(x, y), 1e-6) ** 2;
}

/** The largest share of a face beyond one edge of the picture. @param {{width: number, height: number}} picture @param {Box} box @param {Constants} constants */
function shareOutside({ width, height }, box, { alignment: a, quality: { faceHeight, faceTop, faceSteps } }) {
  const crop = wholeFace(box, a);
  const [cosine, sine] = [Math.cos(crop.roll), Math.sin(crop.roll)];
  const stretch = Math.sqrt(faceHeight);
  const beyond = [0, 0, 0, 0];
  for (let column = 0; column < faceSteps; column++) {
    for (let row = 0; row < faceSteps; row++) {
      const down = faceTop + (1 - faceTop) * (row + 0.5) / faceSteps - 0.5;
      const dx = crop.side * ((a.boxCenter[0] + a.boxSide * ((column + 0.5) / faceSteps - 0.5) / stretch) / a.reference - 0.5);
      const dy = crop.side * ((a.boxCenter[1] + a.boxSide * down * stretch) / a.reference - 0.5);
      const [x, y] = [crop.centerX + cosine * dx - sine * dy, crop.centerY + sine * dx + cosine * dy];
      [x < 0, x >= width, y < 0, y >= height].forEach((is, edge) => { beyond[edge] += Number(is); });
    }
  }
  return Math.max(...beyond) / faceSteps ** 2;
}
