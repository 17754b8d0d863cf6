/** Draw a frame and what its faces show, as fer/visualization/overlay.py does. */

import { clamp } from "./detection.js";

/** @import {Constants, Face} from "./types.d.ts" */

/** The word for a person now. @param {Face} face @param {Constants} constants */
export function labelOf(face, { names }) {
  if (face.sure) return `${names[face.label]} ${(100 * Math.max(...face.probabilities)).toFixed(0)}%`;
  return face.reasons.length ? `not sure: ${face.reasons[0]}` : "not sure";
}

/** @param {Face} face @param {Constants} constants */
function colorOf(face, { colors, unsureColor }) {
  return face.sure ? colors[face.label] : unsureColor;
}

/** @param {OffscreenCanvasRenderingContext2D} context @param {CanvasImageSource} frame @param {Face[]} faces @param {string[]} parts @param {Constants} constants */
export function draw(context, frame, faces, parts, constants) {
  const { width, height } = context.canvas;
  context.drawImage(frame, 0, 0, width, height);
  const letters = Math.max(Math.round(Math.max(width, height) / 34), 14);
  const line = Math.max(Math.floor(letters / 8), 2);
  for (const face of faces) {
    const { x, y, width: wide, height: high, landmarks } = face.box;
    if (parts.includes("boxes")) {
      for (const [color, thick] of /** @type {[string, number][]} */ ([["white", line + 2], [colorOf(face, constants), line]])) {
        context.strokeStyle = color;
        context.lineWidth = thick;
        context.strokeRect(x, y, wide, high);
      }
    }
    for (const [left, top] of parts.includes("landmarks") ? landmarks : []) {
      for (const [color, radius] of /** @type {[string, number][]} */ ([["white", line + 1], [colorOf(face, constants), line]])) {
        context.fillStyle = color;
        context.beginPath();
        context.arc(left, top, radius, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }
  if (!parts.includes("labels")) return;
  context.font = `${letters}px sans-serif`;
  context.textBaseline = "middle";
  for (const face of faces) {
    const words = faces.length > 1 ? `${face.person}: ${labelOf(face, constants)}` : labelOf(face, constants);
    const pad = Math.max(Math.floor(letters / 4), 3);
    const [columns, rows] = [context.measureText(words).width + 2 * pad, letters + 2 * pad];
    const { x, y, height: high } = face.box;
    const left = clamp(x - line / 2, 0, Math.max(width - columns, 0));
    const top = y - rows >= 0 ? y - rows : y + high + rows <= height ? y + high : 0; // above, else below, else at the top
    context.fillStyle = colorOf(face, constants);
    context.fillRect(left, top, columns, rows);
    context.fillStyle = ink(colorOf(face, constants));
    context.fillText(words, left + pad, top + rows / 2);
  }
}

/** Black or white, whichever has more contrast (WCAG 2) with a color. @param {string} color */
function ink(color) {
  const [red, green, blue] = [1, 3, 5].map((start) => (parseInt(color.slice(start, start + 2), 16) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "black" : "white";
}
