/** What is current beside the picture: the answer, its bars, the last minute. */

import { labelOf } from "./drawing.js";
import { people } from "./timeline.js";

/** @import {Box, Constants, Face} from "./types.d.ts" */

const ROW = 22; // pixels of a person's row in the timeline

/** An element with its properties and children. @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {Record<string, any>} [properties] @param {(Node | string)[]} children @returns {HTMLElementTagNameMap[T]} */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export class Panel {
  /** @param {Constants} constants */
  constructor(constants) {
    this.constants = constants;
    /** @type {{timeS: number, person: number, label: number, box: Box}[]} */
    this.history = [];
    this.people = make("div");
    this.minute = make("canvas", { width: 600, height: ROW, role: "img" });
    this.who = make("div", { className: "who" });
    this.legend = make("p", { className: "note" });
    this.timeline = make("div", { hidden: true }, make("p", {}, make("b", {}, `The last ${constants.live.historyS} s`)), make("div", { className: "minute", tabIndex: 0, role: "group", ariaLabel: "Timeline of the last minute" }, this.who, this.minute), this.legend);
    this.element = make("div", {}, this.people, this.timeline);
    this.clear();
  }

  clear() {
    this.history = [];
    this.timeline.hidden = true;
    this.people.replaceChildren(make("p", { className: "note" }, "Start the camera to see here who shows which expression, now and over the last minute."));
  }

  /** @param {Face[]} faces @param {number} timeS */
  note(faces, timeS) {
    this.history.push(...faces.map(({ person, label, sure, box }) => ({ timeS, person, label: sure ? label : -1, box })));
  }

  /** @param {Face[]} faces */
  show(faces) {
    const { shownPeople } = this.constants.live;
    const parts = faces.slice(0, shownPeople).flatMap((face) => this.person(face, faces.length > 1));
    if (!faces.length) parts.push(make("h2", {}, "No face found"), make("p", { className: "note" }, "Face the camera, and have the light in front of you."));
    if (faces.length > shownPeople) parts.push(make("p", { className: "note" }, `${faces.length - shownPeople} more on the picture`));
    this.people.replaceChildren(...parts);
  }

  /** @param {Face} face @param {boolean} named @returns {HTMLElement[]} */
  person(face, named) {
    const { names, colors } = this.constants;
    const label = labelOf(face, this.constants);
    const percent = face.probabilities.map((share) => `${(100 * share).toFixed(0)}%`);
    const bars = make("div", { className: "bars", role: "img", ariaLabel: `Probabilities: ${names.map((name, index) => `${name} ${percent[index]}`).join(", ")}` });
    names.forEach((name, index) => {
      const bar = make("span", { className: "bar" });
      bar.style.width = `${100 * face.probabilities[index]}%`;
      bar.style.background = colors[index];
      bars.append(make("span", {}, name), make("span", { className: "track" }, bar), make("span", { className: "share" }, percent[index]));
    });
    const heading = make("h2", {}, `${named ? `Person ${face.person}: ` : ""}${label[0].toUpperCase()}${label.slice(1)}`);
    const among = face.set.map((index) => names[index]);
    const set = [among.slice(0, -1).join(", "), ...among.slice(-1)].filter(Boolean).join(" or ");
    const words = face.reasons.length ? face.reasons.join("; ") : face.sure ? "" : `${set.slice(0, 1).toUpperCase()}${set.slice(1)}`;
    return [heading, bars, ...(words ? [make("p", { className: "note" }, words)] : [])];
  }

  /** A band a person, colored by what was told at each time; beyond eight people it scrolls. @param {number} nowS */
  showMinute(nowS) {
    const { names, colors, unsureColor, live, timeline } = this.constants;
    this.history = this.history.filter((row) => nowS - row.timeS <= live.historyS);
    const found = people(this.history, nowS, timeline);
    this.timeline.hidden = !found.length;
    const { minute } = this;
    minute.height = ROW * Math.max(found.length, 1);
    minute.style.height = `${minute.height}px`;
    this.who.replaceChildren(...found.map(({ numbers }) => make("span", {}, `Person ${numbers.slice(0, 3).join(", ")}${numbers.length > 3 ? ", …" : ""}`)));
    const context = /** @type {CanvasRenderingContext2D} */ (minute.getContext("2d"));
    const startS = Math.max(nowS - live.historyS, 0);
    const scale = minute.width / live.historyS;
    found.forEach(({ rows }, place) => rows.forEach(({ timeS, label }) => {
      const high = label < 0 ? 6 : 18; // not sure: thin, for its gray is near that of neutral
      context.fillStyle = label < 0 ? unsureColor : colors[label];
      context.fillRect((timeS - startS) * scale, ROW * place + (ROW - high) / 2, Math.max(0.5 * scale, 1), high);
    }));
    const told = ["not sure", ...names].map((name, index) => ({ name, index: index - 1, share: this.history.filter((row) => row.label === index - 1).length / this.history.length }));
    const seen = told.filter(({ share }) => share > 0).sort((one, other) => other.share - one.share);
    minute.ariaLabel = `The last minute: ${seen.map(({ name, share }) => `${name} ${(100 * share).toFixed(0)}%`).join(", ")}`;
    this.legend.replaceChildren(...seen.flatMap(({ name, index, share }) => {
      const mark = make("span", { className: "mark" });
      mark.style.background = index < 0 ? unsureColor : colors[index];
      return [make("span", { className: "told" }, mark, `${name} ${(100 * share).toFixed(0)}%`), " "];
    }));
  }
}
