/** From a picture to what its faces express, as fer/inference/recognizer.py does: detect, align, one batch, calibrated. */

import { cut, faceCrop } from "./alignment.js";
import { decode, merge, networkInput, scaled } from "./detection.js";
import { assess, moments } from "./quality.js";

/** @import {Box, Card, Constants, Data, Model, Picture, Reading} from "./types.d.ts" */

export class Recognizer {
  /** @param {Constants} constants @param {any} runtime @param {any} yunet @param {any} network @param {Model} model */
  constructor(constants, runtime, yunet, network, { name, card }) {
    this.constants = constants;
    this.runtime = runtime;
    this.yunet = yunet;
    this.network = network;
    this.name = name;
    this.card = card;
  }

  /** Load onnxruntime-web and both networks. @param {Data} data */
  static async load(data) {
    const runtime = await import(data.runtime.module);
    runtime.env.wasm.wasmPaths = { wasm: new URL(data.runtime.wasm, self.location.href).href };
    runtime.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, 4) : 1;
    const yunet = await session(runtime, data.yunet);
    return new Recognizer(data.constants, runtime, yunet, await session(runtime, data.model.url), data.model);
  }

  /** The same with another model. @param {Model} model */
  async with(model) {
    return new Recognizer(this.constants, this.runtime, this.yunet, await session(this.runtime, model.url), model);
  }

  /** Boxes in the picture's own pixels, the largest first. @param {Picture} picture @param {number} longSide */
  async detect(picture, longSide) {
    const { detection } = this.constants;
    const { planes, width, height, factor } = networkInput(picture, longSide, detection.divisor);
    const outputs = await this.yunet.run({ [this.yunet.inputNames[0]]: new this.runtime.Tensor("float32", planes, [1, 3, height, width]) });
    return merge(decode(outputs, width, detection).map((box) => scaled(box, 1 / factor)), detection.mergeOverlap);
  }

  /** Throws where the weights overflow. @param {Picture} picture @param {Box[]} boxes @returns {Promise<Reading[]>} */
  async read(picture, boxes) {
    if (!boxes.length) return [];
    const { alignment, names, deviationFloor } = this.constants;
    const { preprocessing, temperature } = this.card;
    const size = preprocessing.input_size;
    const faces = boxes.map((box) => cut(picture, faceCrop(box, alignment), preprocessing.face_size, alignment));
    const batch = new Float32Array(faces.length * size * size);
    faces.forEach((face, index) => batch.set(standardized(face, this.card, deviationFloor), index * size * size));
    const input = new this.runtime.Tensor("float32", batch, [faces.length, 1, size, size]);
    const outputs = await this.network.run({ [this.network.inputNames[0]]: input });
    const logits = outputs[this.network.outputNames[0]].data;
    return boxes.map((box, index) => {
      const probabilities = softmax(Array.from(logits.slice(index * names.length, (index + 1) * names.length)), temperature);
      if (!probabilities.every(Number.isFinite)) {
        throw new Error(`${this.name} gives no valid probabilities for this face: its weights overflow. Choose another model.`);
      }
      return { box, probabilities, reasons: assess(picture, box, faces[index], this.constants) };
    });
  }
}

/** @param {any} runtime @param {string} url */
async function session(runtime, url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} for ${url}`);
  return runtime.InferenceSession.create(new Uint8Array(await answer.arrayBuffer()), { executionProviders: ["wasm"] });
}

/** Gray face -> what the network sees: its middle, standardized. @param {Uint8Array} face @param {Card} card @param {number} floor */
function standardized(face, { preprocessing: p }, floor) {
  const margin = Math.floor((p.face_size - p.input_size) / 2);
  const middle = new Float64Array(p.input_size ** 2);
  for (let row = 0; row < p.input_size; row++) {
    const start = (row + margin) * p.face_size + margin;
    for (let column = 0; column < p.input_size; column++) middle[row * p.input_size + column] = face[start + column] / 255;
  }
  const { mean, variance } = moments(middle);
  const [center, spread] = p.standardise === "dataset" ? [p.mean, p.deviation] : [mean, Math.max(Math.sqrt(variance), floor)];
  return middle.map((value) => (value - center) / spread);
}

/** @param {number[]} logits @param {number} temperature */
function softmax(logits, temperature) {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - highest) / temperature));
  const sum = powers.reduce((one, other) => one + other);
  return powers.map((power) => power / sum);
}
