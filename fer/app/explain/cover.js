// The face, on which a rectangle can be dragged or moved by keys, and the seven bars, which follow at once.
// Every text is set as text. Rectangles are in pixels of the network's input.

/** @typedef {[number, number, number, number]} Rectangle  left, top, width, height */
/** @typedef {{ name: string, color: string, before: number, after: number, words: string }} Bar */
/** @typedef {{ picture: string, size: number, fill: string, rectangles: Rectangle[], sequence: number, bars: Bar[],
 *    sentence: string }} Data */
/** @typedef {{ data: Data, parentElement: HTMLElement, setStateValue: (name: string, value: unknown) => void }} Given */

const SEND_MS = 120; // while a rectangle is being dragged
const STEP = 1;

/** @type {WeakMap<HTMLElement, Cover>} */
const covers = new WeakMap();

/** @param {Given} given */
export default function (given) {
  const cover = covers.get(given.parentElement) ?? new Cover(given.parentElement);
  covers.set(given.parentElement, cover);
  cover.show(given);
}

/** @param {string} tag @param {string} [className] @param {string} [text] */
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
};

class Cover {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    /** @type {Rectangle[]} */
    this.rectangles = [];
    this.sequence = 0; // of what was sent last
    this.size = 1;
    this.fill = "#808080";
    this.dragging = false;
    this.sent = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {(name: string, value: unknown) => void} */
    this.setStateValue = () => {};
    this.face = make("div", "face");
    this.face.tabIndex = 0;
    this.face.setAttribute("role", "group");
    this.face.setAttribute(
      "aria-label",
      "The face. Drag to cover a rectangle. Arrow keys move the last one, with Shift they resize it; Enter adds one, Backspace undoes.",
    );
    this.image = /** @type {HTMLImageElement} */ (make("img"));
    this.layer = make("div", "layer");
    this.face.append(this.image, this.layer);
    this.undo = /** @type {HTMLButtonElement} */ (make("button", "", "Undo"));
    this.clear = /** @type {HTMLButtonElement} */ (make("button", "", "Clear"));
    this.undo.onclick = () => this.change(this.rectangles.slice(0, -1));
    this.clear.onclick = () => this.change([]);
    const hint = make("span", "hint", "Drag on the face, or focus it and press Enter.");
    const tools = make("div", "tools");
    tools.append(this.undo, this.clear, hint);
    this.sentence = make("p", "sentence");
    this.sentence.setAttribute("aria-live", "polite");
    this.bars = make("div", "bars");
    const left = make("div", "left"), right = make("div", "right");
    left.append(this.face, tools);
    right.append(this.sentence, this.bars);
    const root = make("div", "cover");
    root.append(left, right);
    parent.append(root);
    this.listen();
  }

  listen() {
    /** @type {[number, number] | null} */
    let start = null;
    this.face.onpointerdown = (event) => {
      if (event.button) return;
      event.preventDefault();
      this.face.focus();
      this.face.setPointerCapture(event.pointerId);
      start = this.place(event);
      this.dragging = true;
      this.rectangles = [...this.rectangles, [...start, 1, 1]];
      this.draw();
    };
    this.face.onpointermove = (event) => {
      if (!start) return;
      const [x, y] = this.place(event);
      const left = Math.min(x, start[0]), top = Math.min(y, start[1]);
      this.rectangles = [
        ...this.rectangles.slice(0, -1),
        [left, top, Math.abs(x - start[0]) + 1, Math.abs(y - start[1]) + 1],
      ];
      this.draw();
      this.sendSoon();
    };
    const end = () => {
      if (!start) return;
      start = null;
      this.dragging = false;
      const [, , width, height] = this.rectangles[this.rectangles.length - 1];
      if (width * height <= 2) this.rectangles = this.rectangles.slice(0, -1); // a click, no drag
      this.draw();
      this.send();
    };
    this.face.onpointerup = end;
    this.face.onpointercancel = end;
    this.face.onkeydown = (event) => {
      const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
      const move = moves[/** @type {keyof typeof moves} */ (event.key)];
      if (event.key === "Enter") this.change([...this.rectangles, this.middle()]);
      else if (event.key === "Backspace" || event.key === "Delete") this.change(this.rectangles.slice(0, -1));
      else if (move) this.change(this.moved(move, event.shiftKey));
      else return;
      event.preventDefault();
    };
  }

  /** @param {PointerEvent} event @returns {[number, number]} the pixel under the pointer */
  place(event) {
    const box = this.face.getBoundingClientRect();
    /** @param {number} share */
    const pixel = (share) => Math.min(Math.max(Math.floor(share * this.size), 0), this.size - 1);
    return [pixel((event.clientX - box.left) / box.width), pixel((event.clientY - box.top) / box.height)];
  }

  /** @returns {Rectangle} a third of the face, in its middle */
  middle() {
    const side = Math.round(this.size / 3);
    return [side, side, side, side];
  }

  /** @param {number[]} move @param {boolean} resize @returns {Rectangle[]} */
  moved([x, y], resize) {
    const others = this.rectangles.slice(0, -1);
    const [left, top, width, height] = this.rectangles[this.rectangles.length - 1] ?? this.middle();
    /** @param {number} value @param {number} low @param {number} high */
    const within = (value, low, high) => Math.min(Math.max(value, low), high);
    return [
      ...others,
      resize
        ? [left, top, within(width + x, 1, this.size - left), within(height + y, 1, this.size - top)]
        : [within(left + x, 0, this.size - width), within(top + y, 0, this.size - height), width, height],
    ];
  }

  /** @param {Rectangle[]} rectangles */
  change(rectangles) {
    this.rectangles = rectangles;
    this.draw();
    this.sendSoon();
  }

  sendSoon() {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => this.send(), Math.max(0, this.sent + SEND_MS - performance.now()));
  }

  send() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sent = performance.now();
    this.sequence += 1;
    this.setStateValue("cover", { rectangles: this.rectangles, sequence: this.sequence });
  }

  draw() {
    const percent = (/** @type {number} */ value) => `${(100 * value) / this.size}%`;
    this.layer.replaceChildren(
      ...this.rectangles.map(([left, top, width, height], index) => {
        const patch = make("div", index === this.rectangles.length - 1 ? "patch last" : "patch");
        Object.assign(patch.style, {
          left: percent(left),
          top: percent(top),
          width: percent(width),
          height: percent(height),
          background: this.fill,
        });
        return patch;
      }),
    );
    this.undo.disabled = this.clear.disabled = !this.rectangles.length;
  }

  /** @param {Given} given */
  show({ data, setStateValue }) {
    this.setStateValue = setStateValue;
    this.size = data.size;
    this.fill = data.fill;
    this.image.src = data.picture;
    this.image.alt = "The face as the network sees it";
    if (!this.dragging && this.timer === undefined && data.sequence >= this.sequence) {
      this.rectangles = data.rectangles;
      this.sequence = data.sequence;
    }
    this.draw();
    this.sentence.textContent = data.sentence;
    this.bars.replaceChildren(
      ...data.bars.map((bar) => {
        const row = make("div", "row"), track = make("div", "track"), fill = make("div", "fill"), tick = make("div", "tick");
        fill.style.width = `${100 * bar.after}%`;
        fill.style.background = bar.color;
        tick.style.left = `${100 * bar.before}%`;
        track.append(fill, tick);
        track.setAttribute("role", "img");
        track.setAttribute("aria-label", `${bar.name} ${bar.words}`);
        row.append(make("span", "name", bar.name), track, make("span", "value", bar.words));
        return row;
      }),
    );
  }
}
