/** A photo whose faces are chosen by a click or by arrow keys. Every text is set as text. */

/** @typedef {"left" | "right" | "up" | "down"} Side */
/** All lengths in the picture's pixels. dot: center, radius, and where its line meets the box. @typedef {{box: number[], dot: number[], color: string, ink: string, label: string, neighbors: Record<Side, number | null>}} Face */
/** selected: from 0. handled: the last choice that Python knows of. @typedef {{picture: string, width: number, height: number, alt: string, faces: Face[], selected: number, handled: number}} Data */
/** @typedef {(name: string, value: {face: number, count: number}) => void} Say */
/** count: how many choices were made here. @typedef {{built: string, stage: HTMLElement, faces: HTMLElement[], selected: number, count: number, timer: number, say: Say}} Picker */

const KEYS = /** @type {Record<string, Side>} */ ({ ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" });
const REST_MS = 150; // arrow keys in a row are one choice: each choice is a run of the page
const LARGEST_DOT_PX = 26;

const CSS = `
.stage { position: relative; container-type: inline-size; margin: 0 auto; line-height: 0;
         max-width: calc(78vh * var(--aspect)); } /* what the face says stays in sight */
@media (max-width: 640px) { .stage { max-width: calc(55vh * var(--aspect)); } }
.stage img { display: block; width: 100%; border-radius: 8px; background: var(--st-secondary-background-color); }
.faces { position: absolute; inset: 0; }
.face { position: absolute; outline: none; }
.face::before { content: ""; position: absolute; inset: -3px; border: 3px solid var(--color); border-radius: 4px;
                box-shadow: 0 0 0 1.5px #fff, inset 0 0 0 1px #10131f; } /* light and dark: seen on any picture */
.face.selected::before { inset: -4px; border-width: 4px; box-shadow: 0 0 0 2px #fff, 0 0 0 4.5px #10131f; }
.face[role=radio] { cursor: pointer; }
.face[role=radio]::after { content: ""; position: absolute; inset: min(0px, calc((100% - 24px) / 2)); }
.face[role=radio]:hover::before { border-width: 4px; }
.face:focus-visible::before { outline: 3px solid var(--st-primary-color); outline-offset: 3px; }
.line { position: absolute; height: 2px; margin-top: -1px; transform-origin: 0 50%; background: var(--color);
        box-shadow: 0 0 0 0.5px #fff; pointer-events: none; }
.dot { position: absolute; z-index: 1; transform: translate(-50%, -50%); display: grid; place-items: center;
       border-radius: 50%; box-sizing: border-box; background: var(--color); color: var(--ink);
       font-family: var(--st-font); font-weight: 700; line-height: 1; box-shadow: 0 0 0 1px #fff; }
.face.selected .dot { box-shadow: 0 0 0 1.5px #fff, 0 0 0 3px #10131f; z-index: 2; }
`;
const sheet = new CSSStyleSheet();
sheet.replaceSync(CSS);

/** @type {WeakMap<Node, Picker>} */
const pickers = new WeakMap();

/** @param {{data: Data, parentElement: HTMLElement | ShadowRoot, setStateValue: Say}} component */
export default function ({ data, parentElement, setStateValue }) {
  const built = JSON.stringify([data.picture, data.width, data.height, data.alt, data.faces]);
  const root = /** @type {ShadowRoot} */ (parentElement.getRootNode());
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  let picker = pickers.get(parentElement);
  if (picker?.built !== built) {
    const old = parentElement.querySelector(".stage");
    const focused = old?.contains(root.activeElement);
    old?.remove();
    picker = build(data, built, setStateValue);
    parentElement.append(picker.stage);
    pickers.set(parentElement, picker);
    mark(picker, data.selected);
    if (focused) picker.faces[picker.selected]?.focus({ preventScroll: true });
  }
  picker.say = setStateValue;
  if (data.handled < picker.count) return; // what was chosen here is not yet known there
  picker.count = data.handled;
  mark(picker, data.selected);
}

/** @param {Data} data @param {string} built @param {Say} say @returns {Picker} */
function build(data, built, say) {
  const several = data.faces.length > 1;
  const stage = make("div", "stage");
  stage.style.setProperty("--aspect", `${data.width / data.height}`);
  const image = /** @type {HTMLImageElement} */ (make("img"));
  image.src = data.picture;
  image.alt = data.alt;
  image.style.aspectRatio = `${data.width} / ${data.height}`;
  const group = make("div", "faces");
  const faces = data.faces.map((face, index) => faceOf(face, index, data.width, several));
  group.append(...faces);
  stage.append(image, group);
  /** @type {Picker} */
  const picker = { built, stage, faces, selected: -1, count: data.handled, timer: 0, say };
  if (several) {
    group.setAttribute("role", "radiogroup");
    group.ariaLabel = "Faces in the photo";
    group.onclick = ({ target }) => {
      const index = faces.findIndex((face) => face.contains(/** @type {Node} */ (target)));
      if (index >= 0) choose(picker, index, 0);
    };
    group.onkeydown = (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const { key } = event;
      const goal = key === "Home" ? 0 : key === "End" ? faces.length - 1 : data.faces[picker.selected]?.neighbors[KEYS[key]];
      if (key in KEYS || key === "Home" || key === "End") event.preventDefault(); // nor does the page scroll
      if (goal !== null && goal !== undefined) choose(picker, goal, REST_MS);
    };
  }
  return picker;
}

/** A face's outline, with its dot and the line between them. cqw: a hundredth of the picture's width. @param {Face} face @param {number} index @param {number} width @param {boolean} several */
function faceOf({ box: [left, top, wide, high], dot: [x, y, radius, lineX, lineY], color, ink, label }, index, width, several) {
  const cqw = (/** @type {number} */ length) => `${(100 * length) / width}cqw`;
  const face = make("div", "face");
  face.style.setProperty("--color", color);
  face.style.setProperty("--ink", ink);
  Object.assign(face.style, { left: cqw(left), top: cqw(top), width: cqw(wide), height: cqw(high) });
  if (!several) {
    face.ariaHidden = "true";
    return face;
  }
  face.setAttribute("role", "radio");
  face.ariaLabel = label;
  face.title = label;
  const line = make("div", "line");
  const [across, down] = [x - lineX, y - lineY];
  Object.assign(line.style, { left: cqw(lineX - left), top: cqw(lineY - top), width: cqw(Math.hypot(across, down)), transform: `rotate(${Math.atan2(down, across)}rad)` });
  const dot = make("div", "dot", `${index + 1}`);
  const side = `min(${cqw(2 * radius)}, ${LARGEST_DOT_PX}px)`;
  Object.assign(dot.style, { left: cqw(x - left), top: cqw(y - top), width: side, height: side, fontSize: `calc(${index > 8 ? 0.56 : 0.64} * ${side})` });
  face.append(line, dot);
  return face;
}

/** Show a choice at once, and tell Python of it when the keys rest. @param {Picker} picker @param {number} index @param {number} waitMs */
function choose(picker, index, waitMs) {
  mark(picker, index);
  picker.faces[index].focus({ preventScroll: true });
  picker.count += 1;
  clearTimeout(picker.timer);
  const { count } = picker;
  picker.timer = setTimeout(() => picker.say("pick", { face: index + 1, count }), waitMs);
}

/** @param {Picker} picker @param {number} index */
function mark(picker, index) {
  picker.selected = index;
  picker.faces.forEach((face, at) => {
    face.classList.toggle("selected", at === index);
    if (picker.faces.length < 2) return;
    face.ariaChecked = String(at === index);
    face.tabIndex = at === index ? 0 : -1;
  });
}

/** @param {string} tag @param {string} [className] @param {string} [text] */
function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
