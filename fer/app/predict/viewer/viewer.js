/** A timeline to move along: of a video, which plays above it, with names and marks; or of a recording, which is numbers alone. */

/** @import {Annotations, Data, Mark, Person, Reading} from "./types.d.ts" */
/** @typedef {{data: Data, parentElement: ParentNode & Node, setStateValue: (name: string, value: any) => void}} Component */

const STEP_S = 0.5; // an arrow key's
const FINE_STEP_S = 0.1; // with Shift
const PAGE_S = 5; // Page Up and Page Down
const SAID_MS = 500; // a screen reader hears of a moving playhead that often at most
const views = /** @type {WeakMap<object, Viewer>} */ (new WeakMap());

/** Streamlit calls it once, and again whenever Python has other data. @param {Component} component */
export default function show(component) {
  const key = component.parentElement;
  let view = views.get(key);
  if (view?.data.id !== component.data.id) {
    view?.end();
    view = new Viewer(component);
    views.set(key, view);
  }
  view.update(component);
  return () => {
    views.get(key)?.end();
    views.delete(key);
  };
}

/** An element with its properties and children. @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {Record<string, any>} [properties] @param {(Node | string)[]} children @returns {HTMLElementTagNameMap[T]} */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** 0:01.2 @param {number} timeS */
function clock(timeS) {
  const tenths = Math.round(10 * timeS);
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

/** @param {string} words */
const capital = (words) => words.slice(0, 1).toUpperCase() + words.slice(1);

/** The last item that begins by that time. @template T @param {T[]} items @param {number} timeS @param {(item: T) => number} begin @returns {T | undefined} */
function lastBy(items, timeS, begin) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (begin(items[middle]) <= timeS + 1e-6) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}

class Viewer {
  /** @param {Component} component */
  constructor({ data, parentElement }) {
    this.data = data;
    this.send = /** @type {Component["setStateValue"]} */ (() => {});
    this.noted = /** @type {Annotations} */ ({ edits: 0, names: {}, events: [] });
    // Of a recording: the first reading comes a little after the start.
    this.momentS = Math.min(data.endS, ...data.people.map(({ spans }) => spans[0][0]));
    this.endS = data.endS;
    this.saidMs = 0;
    this.frame = 0;
    this.video = data.video && make("video", { controls: true, playsInline: true, preload: "auto", src: data.video.url, ariaLabel: "The video with its faces marked" });
    this.time = make("span", { className: "time" });
    this.markButton = make("button", { type: "button", title: "Key M", onclick: () => this.mark() }, "Mark this moment");
    this.markButton.setAttribute("aria-keyshortcuts", "M");
    this.playhead = make("div", { className: "playhead" });
    this.flags = make("div", { className: "flags" });
    this.scrub = make("div", { className: "scrub", tabIndex: 0, role: "slider", ariaLabel: data.video ? "Moment of the video" : "Moment of the recording" }, this.flags, this.playhead);
    this.lanes = data.people.map((person) => this.lane(person));
    this.axis = make("div", { className: "axis" });
    this.events = make("ul", { className: "events", ariaLabel: "Marked moments" });
    this.bars = make("div", { className: "people" });
    this.root = make("div", { className: "viewer" }, ...this.parts());
    parentElement.querySelector(".place")?.replaceChildren(this.root);
    this.listen();
    this.draw();
    this.refresh();
  }

  /** @returns {Node[]} */
  parts() {
    const rows = make("div", { className: "rows" }, ...this.lanes.flatMap(({ label, canvas }) => [label, canvas]), this.scrub);
    this.scrub.style.gridRow = `1 / span ${Math.max(this.lanes.length, 1)}`; // over the lanes, which would make way for it
    this.lanes.forEach(({ label, canvas }, index) => {
      label.style.gridRow = canvas.style.gridRow = `${index + 1}`;
    });
    const timeline = make("div", { className: "timeline" }, make("div", { className: "scroll" }, rows), make("div", { className: "rows" }, make("span"), this.axis));
    const keys = make("p", { className: "note" }, this.video
      ? "Click the timeline to jump. Arrow keys move along it, Space plays and pauses, M marks the moment. To name a person, type over the label."
      : "Move along the timeline with the mouse, by touch or with the arrow keys.");
    if (!this.video || !this.data.video) return [make("div", { className: "bar" }, this.time), timeline, this.legend(), keys, this.bars];
    const moments = this.data.video.moments.map(({ url, caption, timeS }) =>
      make("button", { type: "button", className: "moment", onclick: () => this.seek(timeS, true) }, make("img", { src: url, alt: "" }), make("span", {}, caption)));
    const bar = make("div", { className: "bar" }, this.time, this.markButton);
    return [
      this.video, bar,
      ...(this.lanes.length ? [make("h2", {}, "Who showed what, and when"), timeline, this.legend(), keys] : []),
      this.events,
      ...(moments.length ? [make("h2", {}, "Strongest moments"), make("div", { className: "moments" }, ...moments)] : []),
    ];
  }

  /** One person's row. @param {Person} person */
  lane(person) {
    const now = make("span", { className: "now" });
    const called = capital(person.label);
    const name = this.video
      ? make("input", { className: "name", placeholder: called, maxLength: this.data.longestName, ariaLabel: `Name of ${person.label}`, title: "Type a name", autocomplete: "off", spellcheck: false, onchange: (/** @type {Event & {target: HTMLInputElement}} */ { target }) => this.rename(person, target.value) })
      : make("span", { className: "name" }, called);
    return { person, name, now, label: make("div", { className: "label" }, name, now), canvas: make("canvas", { ariaHidden: "true" }) };
  }

  legend() {
    const { names, colors, unsureColor, people } = this.data;
    const told = new Set(people.flatMap(({ spans }) => spans.map(([, , index]) => index)));
    const items = [...names.keys(), -1].filter((index) => told.has(index)).map((index) => {
      const swatch = make("span", { className: index < 0 ? "swatch unsure" : "swatch" });
      swatch.style.background = index < 0 ? unsureColor : colors[index];
      return make("span", { className: "told" }, swatch, this.told(index));
    });
    return make("p", { className: "legend" }, ...items);
  }

  listen() {
    const { scrub, video, root } = this;
    const to = (/** @type {PointerEvent} */ event) => {
      const { left, width } = scrub.getBoundingClientRect();
      this.seek(((event.clientX - left) / Math.max(width, 1)) * this.endS);
    };
    scrub.onpointerdown = (event) => {
      if (event.button) return;
      scrub.setPointerCapture(event.pointerId);
      to(event);
    };
    scrub.onpointermove = (event) => {
      if (scrub.hasPointerCapture(event.pointerId)) to(event);
    };
    scrub.onkeydown = (event) => this.press(event);
    root.onkeydown = (event) => {
      event.stopPropagation(); // Streamlit has keys of its own
      const typing = event.target instanceof HTMLInputElement;
      if (typing && event.key === "Enter") event.target.blur();
      if (!typing && video && event.key.toLowerCase() === "m" && !event.ctrlKey && !event.metaKey && !event.altKey) this.mark();
    };
    if (video) {
      video.onloadedmetadata = () => {
        if (Number.isFinite(video.duration) && video.duration > 0) this.endS = video.duration;
        this.draw();
        this.refresh();
      };
      video.ontimeupdate = video.onseeking = video.onseeked = () => this.refresh();
      video.onplay = () => this.follow();
    }
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(scrub);
  }

  /** @param {Component} component */
  update({ data, setStateValue }) {
    this.data = data;
    this.send = setStateValue;
    const given = data.video?.annotations;
    if (this.video && data.video && this.video.getAttribute("src") !== data.video.url) this.video.src = data.video.url;
    if (!given || given.edits < this.noted.edits) return; // Python has not heard of the last edits yet
    const same = JSON.stringify([given.names, given.events]) === JSON.stringify([this.noted.names, this.noted.events]);
    if (same) this.noted.edits = given.edits; // what stands on the page refers to the events as they are
    else {
      this.noted = given;
      this.show();
    }
  }

  end() {
    cancelAnimationFrame(this.frame);
    this.resizing?.disconnect();
    this.video?.pause();
  }

  get timeS() {
    return this.video ? this.video.currentTime : this.momentS;
  }

  /** @param {number} timeS @param {boolean} [look] whether the video is to be scrolled into sight */
  seek(timeS, look = false) {
    const to = Math.min(Math.max(timeS, 0), this.endS);
    if (this.video) this.video.currentTime = to;
    else this.momentS = to;
    if (look) this.video?.scrollIntoView({ block: "nearest" });
    this.refresh();
  }

  /** A key on the timeline. @param {KeyboardEvent} event */
  press(event) {
    const step = event.shiftKey ? FINE_STEP_S : STEP_S;
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageUp: PAGE_S, PageDown: -PAGE_S, Home: -Infinity, End: Infinity });
    if (event.key in steps) this.seek(this.timeS + steps[event.key]);
    else if (event.key === " " && this.video) this.video.paused ? this.video.play() : this.video.pause();
    else return;
    event.preventDefault();
  }

  /** Move the playhead while the video plays. */
  follow() {
    cancelAnimationFrame(this.frame);
    this.refresh();
    if (this.video && !this.video.paused) this.frame = requestAnimationFrame(() => this.follow());
  }

  /** @param {number} index */
  told(index) {
    return index < 0 ? "not sure" : this.data.names[index];
  }

  /** @param {Person} person */
  called(person) {
    return this.noted.names[person.number] || capital(person.label);
  }

  /** What a person was told to show at a time; undefined where they were away. @param {Person} person @param {number} timeS */
  shown({ spans }, timeS) {
    const atS = Math.min(timeS, this.data.endS); // the sound may go on a little
    const span = lastBy(spans, atS, ([begin]) => begin);
    return span && atS - span[1] <= this.data.holdS + 1e-6 ? span[2] : undefined;
  }

  /** What changes with the moment. */
  refresh() {
    const timeS = Math.min(this.timeS, this.endS);
    this.playhead.style.left = `${(100 * timeS) / this.endS}%`;
    this.time.textContent = `${clock(timeS)} / ${clock(this.endS)}`;
    const there = [];
    for (const { person, now } of this.lanes) {
      const index = this.shown(person, timeS);
      const words = index === undefined ? "" : this.told(index);
      if (now.textContent !== words) now.textContent = words;
      if (words) there.push(`${this.called(person)}: ${words}`);
    }
    if (!this.video) this.showBars(timeS);
    const playing = this.video && !this.video.paused;
    if (playing && performance.now() - this.saidMs < SAID_MS) return;
    this.saidMs = performance.now();
    Object.assign(this.scrub, { ariaValueMin: "0", ariaValueMax: this.endS.toFixed(1), ariaValueNow: timeS.toFixed(1), ariaValueText: [`${clock(timeS)} of ${clock(this.endS)}`, ...(there.length ? there : ["nobody in view"])].join(". ") });
  }

  /** A recording's bars, of everyone who is there. @param {number} timeS */
  showBars(timeS) {
    const cards = this.data.people.flatMap((person) => {
      const found = this.shown(person, timeS) === undefined ? undefined : lastBy(person.readings, timeS, ([begin]) => begin);
      return found ? [this.card(person, found)] : [];
    });
    this.bars.replaceChildren(...(cards.length ? cards : [make("p", { className: "note" }, "Nobody is in view at this moment.")]));
  }

  /** @param {Person} person @param {Reading} reading */
  card(person, [, told, shares]) {
    const { names, colors } = this.data;
    const bars = make("div", { className: "bars", role: "img", ariaLabel: `Probabilities: ${names.map((name, index) => `${name} ${shares[index]}%`).join(", ")}` });
    names.forEach((name, index) => {
      const bar = make("span", { className: "filled" });
      bar.style.width = `${shares[index]}%`;
      bar.style.background = colors[index];
      bars.append(make("span", {}, name), make("span", { className: "track" }, bar), make("span", { className: "share" }, `${shares[index]}%`));
    });
    const answer = told < 0 ? "Not sure" : `${capital(names[told])} ${shares[told]}%`;
    return make("div", { className: "card" }, make("h3", {}, `${capital(person.label)}: ${answer}`), bars);
  }

  /** The lanes, at the size that they have now. */
  draw() {
    const { colors, unsureColor } = this.data;
    const scale = window.devicePixelRatio || 1;
    for (const { person, canvas } of this.lanes) {
      const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
      if (!width) continue;
      Object.assign(canvas, { width, height });
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      for (const [begin, end, index] of person.spans) {
        context.fillStyle = index < 0 ? unsureColor : colors[index];
        const thick = index < 0 ? 0.3 : 1; // not sure: thin, for its gray is near that of neutral
        const x = (begin / this.endS) * width;
        context.fillRect(x, (height * (1 - thick)) / 2, Math.max(((end - begin) / this.endS) * width, 2 * scale), height * thick);
      }
    }
    const ticks = this.scrub.clientWidth > 420 ? 5 : 3;
    this.axis.replaceChildren(...Array.from({ length: ticks }, (_, index) => make("span", {}, clock((this.endS * index) / (ticks - 1)))));
    this.showFlags();
  }

  showFlags() {
    this.flags.replaceChildren(...this.noted.events.map(({ timeS, name }) => {
      const flag = make("span", { className: "flag", title: name });
      flag.style.left = `${(100 * timeS) / this.endS}%`;
      return flag;
    }));
  }

  /** Names and marks as they are noted. */
  show() {
    for (const { person, name } of this.lanes) if (name instanceof HTMLInputElement) name.value = this.noted.names[person.number] ?? "";
    this.events.replaceChildren(...this.noted.events.map((event) => this.item(event)));
    this.showFlags();
    this.refresh();
  }

  /** One marked moment in the list. @param {Mark} event */
  item(event) {
    const { timeS, name } = event;
    const others = () => this.noted.events.filter((other) => other !== event);
    const input = make("input", { className: "name", value: name, maxLength: this.data.longestName, ariaLabel: `Name of the mark at ${clock(timeS)}`, autocomplete: "off", onchange: () => this.note({ events: [...others(), { timeS, name: input.value.trim() || name }] }) });
    return make("li", {},
      make("button", { type: "button", className: "jump", ariaLabel: `Jump to ${name}, ${clock(timeS)}`, onclick: () => this.seek(timeS, true) }, clock(timeS)),
      input,
      make("button", { type: "button", className: "delete", ariaLabel: `Delete ${name}, ${clock(timeS)}`, title: "Delete this mark", onclick: () => { this.note({ events: others() }); this.markButton.focus(); } }, "✕"));
  }

  mark() {
    if (!this.video || this.noted.events.length >= this.data.mostEvents) return;
    const used = new Set(this.noted.events.map(({ name }) => name));
    let number = 1;
    while (used.has(`Mark ${number}`)) number += 1;
    this.note({ events: [...this.noted.events, { timeS: Number(this.timeS.toFixed(3)), name: `Mark ${number}` }] });
  }

  /** @param {Person} person @param {string} name */
  rename({ number }, name) {
    const names = /** @type {Record<string, string>} */ ({ ...this.noted.names, [number]: name.trim() });
    if (!names[number]) delete names[number];
    this.note({ names });
  }

  /** Keep a change, here and in Python. @param {Partial<Annotations>} change */
  note(change) {
    const events = [...(change.events ?? this.noted.events)].sort((one, other) => one.timeS - other.timeS);
    this.noted = { ...this.noted, ...change, events, edits: this.noted.edits + 1 };
    this.show();
    this.send("annotations", this.noted);
  }
}
