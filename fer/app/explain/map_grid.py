"""The grid of maps as one small component that scrolls inside itself; a click chooses a map.

All text is inserted as text, never as HTML; the code below is fixed, and only this module's data reaches it.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fer.app import session
from fer.explanation.methods import METHODS
from fer.expressions import NAMES

CSS = """
.scroll { overflow-x: auto; padding: 3px; }
.scroll.more { mask-image: linear-gradient(to right, #000 calc(100% - 40px), transparent); }
.grid { display: grid; gap: 6px; align-items: center; font-family: var(--st-font); color: var(--st-text-color);
        min-width: 760px; }
.head { text-align: center; font-size: 0.9rem; line-height: 1.25; padding-bottom: 2px; }
.head b { display: block; font-weight: 600; }
.mark { display: block; min-height: 1.3em; font-size: 0.75rem; color: var(--st-primary-color); font-weight: 600; }
.row { position: sticky; left: 0; z-index: 1; background: var(--st-background-color); font-size: 0.85rem;
       line-height: 1.2; padding: 4px 6px 4px 0; align-self: stretch; display: flex; flex-direction: column;
       justify-content: center; box-shadow: -4px 0 0 var(--st-background-color); }
.row small { color: var(--st-text-color); opacity: 0.7; font-size: 0.75rem; }
button { all: unset; cursor: zoom-in; position: relative; display: block; border-radius: 6px; }
button img { display: block; width: 100%; aspect-ratio: 1; border-radius: 6px; }
button:focus-visible, button[aria-pressed=true] { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
button span { position: absolute; inset: auto 0 8% 0; text-align: center; font-size: 0.75rem; color: #fff;
              text-shadow: 0 0 4px #000, 0 0 2px #000; }
.wait { aspect-ratio: 1; border-radius: 6px; background: var(--st-secondary-background-color); }
"""

JS = """
const LABEL = 96;  // the first column, which stays in sight
export default function ({ data, parentElement, setTriggerValue }) {
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  let scroll = parentElement.querySelector('.scroll');
  const left = scroll ? scroll.scrollLeft : null;
  const old = scroll;
  scroll = make('div', 'scroll');
  const grid = make('div', 'grid');
  grid.style.gridTemplateColumns = `${LABEL}px repeat(${data.heads.length}, minmax(80px, 1fr))`;
  grid.append(make('div', 'row'));
  for (const head of data.heads) {
    const cell = make('div', 'head');
    cell.append(make('b', '', head.name), document.createTextNode(head.percent), make('span', 'mark', head.mark));
    grid.append(cell);
  }
  for (const row of data.rows) {
    const label = make('div', 'row', row.label);
    if (row.note) label.append(make('small', '', row.note));
    grid.append(label);
    for (const cell of row.cells) {
      if (!cell.src) { grid.append(make('div', 'wait')); continue; }
      const button = make('button');
      button.setAttribute('aria-pressed', cell.chosen);
      button.tabIndex = -1;
      button.dataset.place = `${row.method}/${cell.name}`;
      const image = make('img');
      image.src = cell.src;
      image.alt = cell.alt;
      button.title = cell.alt;
      button.append(image);
      if (cell.blank) button.append(make('span', '', 'empty'));
      button.onclick = () => setTriggerValue('pick', button.dataset.place);
      grid.append(button);
    }
  }
  const chosen = grid.querySelector('[aria-pressed=true]');
  const columns = data.heads.length;
  const buttons = () => [...grid.querySelectorAll('button')];
  const focused = (parentElement.getRootNode().activeElement ?? document.activeElement)?.dataset?.place;
  (chosen ?? buttons()[0])?.setAttribute('tabindex', '0');  // one tab stop; arrow keys go on from there
  grid.onkeydown = (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const all = buttons(), here = all.indexOf(event.target.closest('button'));
    const there = { Home: here - (here % columns), End: here - (here % columns) + columns - 1 }[event.key]
      ?? here + steps[event.key];
    if (here < 0 || !all[there]) return;
    event.preventDefault();
    all[here].tabIndex = -1;
    all[there].tabIndex = 0;
    all[there].focus();
  };
  scroll.append(grid);
  if (old) old.replaceWith(scroll);
  else parentElement.append(scroll);
  const fade = () => scroll.classList.toggle('more', scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 2);
  if (focused) grid.querySelector(`[data-place="${focused}"]`)?.focus();
  requestAnimationFrame(() => {
    if (left !== null) scroll.scrollLeft = left;
    else if (chosen) {
      const middle = chosen.getBoundingClientRect(), view = scroll.getBoundingClientRect();
      scroll.scrollLeft += middle.left + middle.width / 2 - view.left - LABEL / 2 - view.width / 2;
    }
    fade();
  });
  scroll.onscroll = fade;
  new ResizeObserver(fade).observe(scroll);
}
"""

_component = st.components.v2.component("fer_map_grid", css=CSS, js=JS)


def map_grid(heads: list[dict], rows: list[dict], key: str, choose: Callable[[str, str], None]) -> None:
    """Show the grid; choose is called with method and class after a click, before the page reruns.

    heads: name, percent, mark. rows: method, label, note, cells of name, src (from `media.source_of`, empty until
    drawn), alt, blank, chosen.
    """

    def pick() -> None:
        method, _, name = str((session.widget(key, dict) or {}).get("pick") or "").partition("/")
        if method in METHODS and name in NAMES:
            choose(method, name)

    _component(data={"heads": heads, "rows": rows}, key=key, on_pick_change=pick)
