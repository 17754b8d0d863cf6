/** Frames in, faces out, away from the page's own thread. Frames go no further than this worker. */

import { draw } from "./drawing.js";
import { Recognizer } from "./recognizer.js";
import { TrackedReader } from "./tracking.js";

/** @import {Data, FromWorker, Settings, ToWorker} from "./types.d.ts" */

/** @type {Data} */
let data;
/** @type {Settings} */
let settings;
/** @type {TrackedReader} */
let reader;
/** @type {Recognizer | undefined} */
let recognizer;
/** @type {OffscreenCanvasRenderingContext2D} */
let shown;
const seen = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }));

/** @param {FromWorker} message */
const say = (message) => self.postMessage(message);

/** @param {Data} wanted */
async function load(wanted) {
  const before = data;
  [data, settings] = [wanted, wanted.settings];
  reader ??= new TrackedReader(wanted.constants);
  try {
    const loaded = recognizer && before.runtime.module === wanted.runtime.module ? await recognizer.with(wanted.model) : await Recognizer.load(wanted);
    if (data !== wanted) return; // another one was asked for meanwhile
    recognizer = loaded;
    say({ kind: "loaded", model: wanted.model, threads: recognizer.runtime.env.wasm.numThreads });
  } catch (error) {
    if (data === wanted) say({ kind: "failed", what: "files", words: String(error) });
  }
}

/** @param {ImageBitmap} bitmap @param {number} timeS */
async function read(bitmap, timeS) {
  const began = performance.now();
  try {
    const told = await faces(bitmap, timeS);
    say(told ? { kind: "faces", ...told, timeS, ms: performance.now() - began } : { kind: "skipped" });
  } catch (error) { // a stream must outlive any single frame
    say({ kind: "failed", what: "frame", words: String(error) });
    draw(shown, seen.canvas, [], [], data.constants);
  }
}

/** Read and draw a frame; null without a model. @param {ImageBitmap} bitmap @param {number} timeS */
async function faces(bitmap, timeS) {
  const factor = Math.min(1, data.constants.live.maxSide / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * factor), Math.round(bitmap.height * factor)];
  for (const { canvas } of [seen, shown]) {
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  }
  seen.setTransform(settings.mirror ? -1 : 1, 0, 0, 1, settings.mirror ? width : 0, 0);
  seen.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const found = recognizer && (await reader.read(recognizer, seen.getImageData(0, 0, width, height), timeS, settings));
  draw(shown, seen.canvas, found ?? [], found ? settings.parts : [], data.constants);
  return found ? { faces: found, width, height } : null;
}

self.onmessage = ({ data: message }) => {
  const given = /** @type {ToWorker} */ (message);
  if (given.kind === "canvas") shown = /** @type {OffscreenCanvasRenderingContext2D} */ (given.canvas.getContext("2d"));
  if (given.kind === "settings") settings = given.settings;
  if (given.kind === "load") load(given.data);
  if (given.kind === "frame") read(given.bitmap, given.timeS);
};
