"""A network as a diagram and a table: blocks from the face to the seven expressions, shortcuts as arcs.

One small component, which scrolls inside itself on a phone. All text is inserted as text, never as HTML; the code below
is fixed, and only this module's data reaches it.
"""

from __future__ import annotations

import textwrap

import streamlit as st

from fer.app.training.timing import NetworkShown
from fer.expressions import COUNT
from fer.models.structure import Part

LETTERS = 13  # characters of a line below a box
HEIGHT = 216  # height in pixels of the picture with its hint, and of its placeholder

CSS = """
.scroll { overflow-x: auto; border-radius: 6px; }
.scroll:focus-visible { outline: 3px solid var(--st-primary-color); }
.scroll.more { mask-image: linear-gradient(to right, #000 calc(100% - 40px), transparent); }
.hint { display: none; margin: 0; font-family: var(--st-font); font-size: 0.8rem; line-height: 20px; text-align: right;
        color: color-mix(in srgb, var(--st-text-color) 75%, transparent); }
.scroll.more + .hint { display: block; }
svg { display: block; font-family: var(--st-font); }
text { fill: var(--st-text-color); font-size: 12px; text-anchor: middle; }
.name { font-weight: 600; font-size: 12.5px; }
.shortcut { fill: var(--st-primary-color); }
.map { fill: var(--st-secondary-background-color); stroke: var(--st-text-color); stroke-width: 1.2; }
.line { fill: none; stroke: var(--st-text-color); stroke-width: 1.4; }
.arc { fill: none; stroke: var(--st-primary-color); stroke-width: 2; }
.tip { fill: var(--st-text-color); }
.arctip { fill: var(--st-primary-color); }
"""

JS = """
const LETTER = 6.3, MIDDLE = 72, LARGEST = 46, HEIGHT = 196;
export default function ({ data, parentElement }) {
  const make = (tag, attributes, text) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  };
  let scroll = parentElement.querySelector('.scroll');
  if (!scroll) {
    scroll = document.createElement('div');
    scroll.className = 'scroll';
    scroll.tabIndex = 0;
    const hint = document.createElement('p');
    hint.className = 'hint';
    hint.setAttribute('aria-hidden', 'true');
    hint.textContent = 'Scroll sideways for the rest →';
    parentElement.append(scroll, hint);
  }
  scroll.setAttribute('role', 'img');
  scroll.setAttribute('aria-label', data.words);
  let drawn = 0;
  const draw = () => {
    const boxes = data.boxes, room = scroll.clientWidth;
    if (!room || room === drawn) return;
    drawn = room;
    const texts = boxes.flatMap(box => [box.name, box.shortcut || '', ...box.lines]);
    const narrowest = 8 + LETTER * Math.max(...texts.map(text => text.length));
    const step = Math.max(narrowest, Math.min(room / boxes.length, 170)), width = step * boxes.length;
    const svg = make('svg', { width, height: HEIGHT, 'aria-hidden': 'true' });
    const largest = Math.max(...boxes.map(box => box.side));
    const halves = boxes.map(box => (12 + (LARGEST - 12) * Math.sqrt(box.side / largest)) / 2);
    boxes.forEach((box, index) => {
      const x = step * (index + 0.5), half = halves[index], depth = box.sheets - 1;
      if (index) {
        const from = x - step + halves[index - 1] + 3 * (boxes[index - 1].sheets - 1) + 4, to = x - half - 5;
        svg.append(make('path', { class: 'line', d: `M${from} ${MIDDLE}H${to - 5}` }));
        svg.append(make('path', { class: 'tip', d: `M${to} ${MIDDLE}l-7 -4v8z` }));
      }
      for (let sheet = depth; sheet >= 0; sheet--) {
        const size = 2 * half;
        svg.append(make('rect', { class: 'map', x: x - half + 3 * sheet, y: MIDDLE - half - 3 * sheet,
                                  width: size, height: size, rx: 2 }));
      }
      if (box.shortcut) {
        const left = x - half - 12, right = x + half + 3 * depth + 12;
        const over = `V30q0 -8 8 -8H${right - 8}q8 0 8 8V${MIDDLE - 10}`;
        svg.append(make('path', { class: 'arc', d: `M${left} ${MIDDLE - 3}${over}` }));
        svg.append(make('path', { class: 'arctip', d: `M${right} ${MIDDLE - 3}l-4 -8h8z` }));
        svg.append(make('text', { class: 'shortcut', x: (left + right) / 2, y: 15 }, box.shortcut));
      }
      svg.append(make('text', { class: 'name', x, y: 117 }, box.name));
      box.lines.forEach((line, row) => svg.append(make('text', { x, y: 134 + 15 * row }, line)));
    });
    scroll.replaceChildren(svg);
    scroll.classList.toggle('more', scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 2);
  };
  scroll.onscroll = () =>
    scroll.classList.toggle('more', scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 2);
  draw();
  const watch = new ResizeObserver(draw);
  watch.observe(scroll);
  return () => watch.disconnect();
}
"""

_component = st.components.v2.component("fer_network_diagram", css=CSS, js=JS)


def show(network: NetworkShown, name: str) -> None:
    """The picture, the sizes, and the collapsed layer table."""
    _component(data={"boxes": boxes(network), "words": words(network, name)}, key="network_diagram", height=HEIGHT)
    with st.expander(f"Layers of {name}: {network.parameters:,} parameters", icon=":material/table_rows:"):
        st.dataframe(
            [
                {
                    "Layer": f"{row['kind']}-{number}",
                    "Output shape": " × ".join(map(str, row["shape"])),
                    "Parameters": row["parameters"],
                }
                for number, row in enumerate(network.layers, 1)
            ],
            hide_index=True,
            width="stretch",
            key="network_layers",
            column_config={"Parameters": st.column_config.NumberColumn(format="localized")},
            alt=f"The layers of {name}",
        )
        st.caption(
            f"{network.parameters:,} parameters, {network.parameters_mb:.2f} MB. One face takes "
            f"{network.forward_backward_mb:.2f} MB forward and back; {network.total_mb:.2f} MB in all."
        )


def boxes(network: NetworkShown) -> list[dict]:
    """The diagram's boxes for the face and each part; the last one is the answer. side: of its maps, in pixels. sheets:
    to draw, by the number of channels."""
    first: dict = {"name": "face", "lines": [f"1×{network.side}×{network.side}"], "side": network.side, "sheets": 1}
    found = [first, *map(_box, network.parts)]
    found[-1]["lines"][-1] = f"{COUNT} expressions"
    return found


def _box(part: Part) -> dict:
    channels, *sides = part.shape
    side = sides[0] if sides else 1
    return {
        "name": part.name if part.repeats == 1 else f"{part.repeats} × {part.name}",
        "lines": [*_lines(part.operations), "×".join(map(str, part.shape))],
        "side": side,
        "sheets": 1 if side == 1 else min(1 + channels.bit_length() // 2, 5),
        "shortcut": ", ".join(part.shortcuts),
    }


def _lines(operations: tuple[str, ...]) -> list[str]:
    """("separable conv 3×3", "separable conv 3×3", "max-pool") -> ["2 separable", "conv 3×3", "max-pool"]."""
    lines: list[tuple[int, str]] = []
    for operation in operations:
        if lines and lines[-1][1] == operation:
            lines[-1] = (lines[-1][0] + 1, operation)
        else:
            lines.append((1, operation))
    words = [operation if count == 1 else f"{count} {operation}" for count, operation in lines]
    return [part for each in words for part in textwrap.wrap(each, LETTERS)]


def words(network: NetworkShown, name: str) -> str:
    """A description of the picture for screen readers."""
    told = [
        f"{box['name']}: {', '.join(box['lines'])}" + (f", shortcut {box['shortcut']}" if box.get("shortcut") else "")
        for box in boxes(network)
    ]
    return f"How {name} is built. {'; '.join(told)}."
