/** The component: the visitor's camera, the worker that reads it, the panel, and the recorder. Python gets numbers alone. */

import { make, Panel } from "./panel.js";

/** @import {Data, Face, FromWorker, Model, Row, ToWorker} from "./types.d.ts" */
/** @typedef {{data: Data, parentElement: ParentNode & Node, setTriggerValue: (name: string, value: any) => void}} Component */

const PANEL_MS = 120; // between two drawings of the panel
// A function that uses one SIMD instruction: only a browser that can run onnxruntime-web takes it.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
const CAMERA = /** @type {Record<string, string>} */ ({
  NotAllowedError: "Your browser blocked the camera. Allow it for this page in the address bar, then start again.",
  NotFoundError: "No camera was found. Connect one, then start again.",
  OverconstrainedError: "No suitable camera was found. Connect another one, then start again.",
  NotReadableError: "The camera cannot be opened. Another program or browser tab may be using it: close that, then start again.",
});
const views = /** @type {WeakMap<object, View>} */ (new WeakMap());

/** Streamlit calls it once, and again whenever Python has other data. @param {Component} component */
export default function show(component) {
  const key = component.parentElement;
  const view = views.get(key) ?? new View(component);
  views.set(key, view);
  view.update(component);
  return () => {
    view.end();
    views.delete(key);
  };
}

class View {
  /** @param {Component} component */
  constructor({ data, parentElement }) {
    this.data = data;
    this.send = /** @type {Component["setTriggerValue"]} */ (() => {});
    this.panel = new Panel(data.constants);
    this.canvas = picture();
    this.invitation = make("p", {}, "Allow the camera when your browser asks, and watch each face get its expression as it moves. Your browser reads the frames, and they never leave it. Nothing is kept unless you record, and then only numbers.");
    this.button = make("button", { type: "button", className: "main", onclick: () => (this.stream ? this.stop() : this.start()) });
    this.upload = make("button", { type: "button", hidden: true, onclick: () => this.send("upload", true) }, "Upload a photo instead");
    this.status = make("p", { className: "note", role: "status" });
    this.record = make("button", { type: "button", hidden: true, title: "Keeps the probabilities of each person over time, no pictures, until you record again or close this browser tab.", onclick: () => this.toggleRecording() });
    this.numbers = make("p", { className: "note" });
    this.video = make("video", { muted: true, playsInline: true, autoplay: true, ariaHidden: "true" }); // Safari plays what is on the page
    const left = make("div", { className: "picture" }, this.video, make("div", {}, this.button, " ", this.upload), this.invitation, this.canvas, this.status);
    const right = make("div", { className: "panel" }, this.numbers, this.record, this.panel.element);
    parentElement.querySelector(".live")?.replaceChildren(left, right);

    /** @type {Worker | undefined} */
    this.worker = undefined;
    /** @type {Model | null} the model in use */
    this.loaded = null;
    this.broken = false; // whether the model asked for last did not come, and there is no other
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {object | null} the start under way; whoever stops it takes it away */
    this.starting = null;
    this.beganMs = 0; // of the page's clock: people's times count from the first start
    this.fresh = this.pending = false;
    this.heardMs = 0; // when the worker last answered a frame
    this.done = /** @type {{atMs: number, ms: number}[]} */ ([]);
    this.firstMs = 0; // when the first frame since the start came
    this.size = "";
    this.failures = 0;
    this.shownMs = 0;
    /** @type {{id: string, beganS: number, first: number, rows: Row[], done: boolean} | null} */
    this.recording = null;
    this.pushing = setInterval(() => this.push(), 1000 * data.constants.live.pushS);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.watching = () => this.hide();
    document.addEventListener("visibilitychange", this.watching);
    this.settle();
    if (!unsupported()) this.load();
  }

  /** @param {Component} component */
  update({ data, setTriggerValue }) {
    const before = this.data;
    [this.data, this.send] = [data, setTriggerValue];
    if (JSON.stringify(before.settings) !== JSON.stringify(data.settings)) this.tell({ kind: "settings", settings: data.settings });
    if (JSON.stringify(before.model) !== JSON.stringify(data.model)) {
      if (this.stream && this.loaded) this.say(`Loading ${data.model.name}; ${this.loaded.name} goes on reading meanwhile.`);
      this.tell({ kind: "load", data: absolute(data) });
    }
    this.acknowledge();
    if (!data.open && (this.stream || this.starting)) this.stop();
  }

  end() {
    this.stop();
    this.worker?.terminate();
    clearInterval(this.pushing);
    clearInterval(this.ticking);
    document.removeEventListener("visibilitychange", this.watching);
  }

  /** @param {ToWorker} message @param {Transferable[]} [moved] */
  tell(message, moved = []) {
    this.worker?.postMessage(message, moved);
  }

  load() {
    const offscreen = this.canvas.transferControlToOffscreen();
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => this.hear({ kind: "failed", what: "files", words: event.message ?? "" });
    this.tell({ kind: "canvas", canvas: offscreen }, [offscreen]);
    this.tell({ kind: "load", data: absolute(this.data) });
  }

  /** In place of a worker that has died or hangs. A canvas belongs to its worker for good. */
  replaceWorker() {
    this.worker?.terminate();
    const canvas = picture();
    this.canvas.replaceWith(canvas);
    [this.canvas, this.loaded, this.pending] = [canvas, null, false];
    this.load();
  }

  async start() {
    if (this.starting) return;
    if (unsupported() || this.broken) return this.send("unfit", unsupported() || "files");
    if (!navigator.mediaDevices) {
      return this.say("Browsers allow the camera on secure pages only. Open this page over HTTPS, or on the machine that it runs on (localhost).", true);
    }
    if (this.pending && this.silent()) this.replaceWorker();
    const mine = (this.starting = {});
    this.say("Waiting for the camera. If your browser asks, allow it.");
    try {
      const ideal = (/** @type {number} */ value) => ({ ideal: value });
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { width: ideal(640), height: ideal(480), frameRate: ideal(30) } });
      if (this.starting !== mine) return release(stream); // the visitor left while the browser asked
      stream.getVideoTracks().forEach((track) => {
        track.onended = () => this.stop("The camera was disconnected or blocked. Connect or allow it, then start again.");
      });
      this.stream = this.video.srcObject = stream;
      this.beganMs ||= performance.now();
      this.settle();
      await this.video.play();
    } catch (error) {
      if (this.starting !== mine) return; // stopped meanwhile, which says what there is to say
      const name = error instanceof Error ? error.name : "";
      this.stop(CAMERA[name] ?? `The camera could not be started (${name}). Try again.`);
      this.upload.hidden = false;
      return;
    }
    if (this.starting !== mine) return;
    this.starting = null;
    this.heardMs = performance.now();
    this.say(this.loaded ? "" : `Loading ${this.data.model.name}, once.`);
    this.hide();
    this.watch();
  }

  /** @param {string} [why] */
  stop(why = "") {
    if (this.stream) release(this.stream);
    [this.starting, this.stream, this.video.srcObject, this.done] = [null, null, null, []];
    if (this.recording && !this.recording.done) this.toggleRecording();
    this.firstMs = 0;
    this.say(why, Boolean(why));
    this.settle();
    this.panel.clear();
    this.numbers.textContent = "";
  }

  /** What stands on the page, by whether the camera runs. */
  settle() {
    const live = Boolean(this.stream);
    this.button.textContent = live ? "Stop the camera" : "Start the camera";
    this.invitation.hidden = live;
    this.canvas.hidden = !live;
    this.record.hidden = !live;
    if (live) this.upload.hidden = true;
    const { recording } = this;
    const readings = recording ? recording.first + recording.rows.length : 0;
    this.record.textContent = recording && !recording.done ? `Stop recording (${readings.toLocaleString("en")} ${readings === 1 ? "reading" : "readings"})` : "Record";
  }

  /** @param {string} words @param {boolean} [bad] */
  say(words, bad = false) {
    this.status.textContent = words;
    this.status.classList.toggle("bad", bad);
  }

  /** The tab was hidden or shown: nobody looks at a hidden one, so it reads nothing. */
  hide() {
    if (!this.stream) return;
    if (document.hidden) this.say("Paused while this tab is hidden.");
    else if (this.status.textContent?.startsWith("Paused")) this.say("");
    this.heardMs = performance.now(); // the silence of a hidden tab is no fault
    this.pass();
  }

  /** Follow the video: each new frame goes to the worker once that is free. */
  watch() {
    const stream = this.stream;
    const next = () => {
      if (this.stream !== stream || !stream) return;
      this.fresh = true;
      this.pass();
      if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(next);
      else requestAnimationFrame(next);
    };
    next();
  }

  async pass() {
    if (!this.stream || !this.fresh || this.pending || document.hidden || !this.video.videoWidth) return;
    [this.fresh, this.pending] = [false, true];
    const bitmap = await createImageBitmap(this.video).catch(() => null);
    if (!bitmap || !this.stream) {
      this.pending = false;
      return;
    }
    this.tell({ kind: "frame", bitmap, timeS: this.nowS() }, [bitmap]);
  }

  /** @param {FromWorker} message */
  hear(message) {
    if (message.kind === "loaded") {
      [this.loaded, this.broken] = [message.model, false];
      if (this.status.textContent?.startsWith("Loading")) this.say("");
      return;
    }
    if (message.kind === "failed" && message.what === "files") {
      console.warn(message.words);
      if (this.loaded) return this.say(`${this.data.model.name} could not be loaded; ${this.loaded.name} goes on reading. Choose another model.`, true);
      this.broken = true;
      if (!this.stream && !this.starting) return;
      this.stop();
      return this.send("unfit", "files");
    }
    [this.pending, this.heardMs] = [false, performance.now()];
    if (this.status.textContent === this.data.constants.live.noFrames) this.say("");
    if (message.kind === "failed") {
      this.failures += 1;
      console.warn(message.words);
      this.say(`${this.failures === 1 ? "A frame" : `${this.failures} frames`} could not be read; the stream goes on.`, true);
      if (this.stream) this.panel.show([]);
    }
    if (message.kind === "faces" && this.stream) this.note(message);
    this.pass();
  }

  /** @param {Extract<FromWorker, {kind: "faces"}>} message */
  note({ faces, timeS, width, height, ms }) {
    const nowMs = performance.now();
    this.firstMs ||= nowMs - ms;
    this.done.push({ atMs: nowMs, ms });
    this.size = `${width} x ${height}`;
    this.panel.note(faces, timeS);
    this.keep(faces, timeS);
    if (nowMs - this.shownMs < PANEL_MS) return;
    this.shownMs = nowMs;
    this.showNumbers();
    this.panel.show(faces);
  }

  /** The frame rate and the latency of the last seconds. */
  showNumbers() {
    const [nowMs, { rateS }] = [performance.now(), this.data.constants.live];
    this.done = this.done.filter(({ atMs }) => nowMs - atMs < 1000 * rateS);
    const span = Math.min(Math.max((nowMs - this.firstMs) / 1000, 0.5), rateS);
    const middle = this.done.map((one) => one.ms).sort((one, other) => one - other)[Math.floor(this.done.length / 2)];
    this.numbers.textContent = this.done.length ? `${(this.done.length / span).toFixed(0)} frames per second · ${middle.toFixed(0)} ms from camera frame to result · ${this.size} · read in this browser` : "";
  }

  /** Once a second, whether or not frames come: what is old is no longer said. */
  tick() {
    if (!this.stream || this.starting || document.hidden) return;
    this.panel.showMinute(this.nowS());
    this.settle();
    this.showNumbers();
    if (!this.loaded || !this.silent()) return;
    this.panel.show([]);
    [this.done, this.numbers.textContent] = [[], ""];
    if (!this.status.textContent?.startsWith("Loading")) this.say(this.data.constants.live.noFrames, true);
  }

  /** Whether the worker has answered no frame for as long as faces stay current. */
  silent() {
    return performance.now() - this.heardMs >= 1000 * this.data.constants.live.silentS;
  }

  /** Seconds on the clock of people's times. */
  nowS() {
    return (performance.now() - this.beganMs) / 1000;
  }

  toggleRecording() {
    if (this.recording && !this.recording.done) {
      this.recording.done = true;
    } else {
      this.recording = { id: `${Date.now()}-${Math.random().toString(36).slice(2)}`, beganS: this.nowS(), first: 0, rows: [], done: false };
    }
    this.push();
    this.settle();
  }

  /** @param {Face[]} faces @param {number} timeS */
  keep(faces, timeS) {
    const { recording } = this;
    if (!recording || recording.done || timeS < recording.beganS) return;
    if (recording.first + recording.rows.length + faces.length > this.data.constants.live.recordedRows) {
      this.toggleRecording();
      return this.say("The recording was full and has stopped. Start another.", true);
    }
    // The probabilities in full: Python judges these, and must not judge otherwise than the screen.
    const short = (/** @type {number} */ value, /** @type {number} */ digits) => Number(value.toFixed(digits));
    recording.rows.push(...faces.map(({ person, probabilities, box, reasons }) => /** @type {Row} */ ([
      short(timeS - recording.beganS, 3), person, probabilities,
      [short(box.x, 1), short(box.y, 1), short(box.width, 1), short(box.height, 1), short(box.score, 4)], reasons, this.loaded?.id ?? "",
    ])));
  }

  /** Numbers to Python: what it does not have yet. */
  push() {
    if (!this.recording) return;
    const { id, first, rows, done } = this.recording;
    this.send("rows", { recording: id, first, rows, done });
  }

  /** Python says up to where it has the recording. */
  acknowledge() {
    const [known, mine] = [this.data.recording, this.recording];
    if (!mine || known?.id !== mine.id) return;
    if (known.received < mine.first) { // the server was started anew, and has lost what came before
      Object.assign(mine, { id: `${mine.id}+`, first: 0 });
      return this.push();
    }
    mine.rows.splice(0, known.received - mine.first);
    mine.first = known.received;
    if (mine.done && known.done) this.recording = null;
    this.settle();
  }
}

/** Where the worker draws. */
function picture() {
  return make("canvas", { hidden: true, role: "img", ariaLabel: "The camera's picture with its faces marked" });
}

/** Turn a camera off. @param {MediaStream} stream */
function release(stream) {
  stream.getTracks().forEach((track) => {
    track.onended = null;
    track.stop();
  });
}

/** Why this browser cannot read at all; empty where it can. */
function unsupported() {
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(new Uint8Array(SIMD))) return "wasm";
  return typeof Worker === "undefined" || !("transferControlToOffscreen" in HTMLCanvasElement.prototype) ? "worker" : "";
}

/** A worker's addresses count from its own file. @param {Data} data @returns {Data} */
function absolute(data) {
  const at = (/** @type {string} */ url) => new URL(url, location.href).href;
  const { runtime, model } = data;
  return { ...data, yunet: at(data.yunet), runtime: { module: at(runtime.module), wasm: at(runtime.wasm) }, model: { ...model, url: at(model.url) } };
}
