"""A table as a small component: rows on wide screens, cards on narrow ones, with optionally selectable rows.

All text is inserted as text, never as HTML; the code below is fixed, and only this module's data reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from fer.app import session
from fer.expressions import COLORS, NAMES
from fer.visualization.palettes import ink_on
from fer.wording import percent

CSS = """
.frame { container-type: inline-size; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-family: var(--st-font); font-size: 0.875rem; line-height: 1.35;
        color: var(--st-text-color); font-variant-numeric: tabular-nums; }
th, td { padding: 7px 12px 7px 0; text-align: left; vertical-align: middle; font-weight: 400;
         border-bottom: 1px solid var(--st-border-color); }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-size: 0.8rem; vertical-align: bottom; }
thead th, td::before { color: color-mix(in srgb, var(--st-text-color) 75%, transparent); }
tbody th { font-weight: 600; }
.number { text-align: right; }
.wide { min-width: 200px; width: 40%; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.bar { display: flex; height: 20px; border-radius: 4px; overflow: hidden;
       background: var(--st-secondary-background-color); }
.bar span { overflow: hidden; text-indent: 4px; font-size: 0.75rem; line-height: 20px;
            white-space: nowrap; box-shadow: inset -1px 0 0 var(--st-background-color); }
.strip img { display: block; width: 100%; border-radius: 4px; }
.strip div { display: flex; font-size: 0.75rem; }
.strip div span { flex: 1; text-align: center; }
.long { max-height: 560px; overflow-y: auto; }
.choice tr { position: relative; cursor: pointer; }
.choice tbody button { all: unset; font-weight: 600; }
.choice tbody button::after { content: ""; position: absolute; inset: 0; border-radius: 4px; pointer-events: none; }
.choice tbody tr:hover { background: var(--st-secondary-background-color); }
.choice tbody tr.selected { background: color-mix(in srgb, var(--st-primary-color) 14%, transparent);
                            box-shadow: inset 4px 0 var(--st-primary-color); }
.choice tbody button:focus-visible::after { outline: 3px solid var(--st-primary-color); outline-offset: -3px; }
.choice th:first-child { padding-left: 12px; }
@container (max-width: 540px) {
  .cards, .cards tbody { display: block; }
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .cards tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(66px, 1fr)); gap: 6px 10px;
              padding: 10px 12px; margin-bottom: 8px; border: 1px solid var(--st-border-color); border-radius: 8px; }
  .cards th, .cards td { display: block; padding: 0; border: 0; text-align: left; width: auto; min-width: 0; }
  .cards tbody th { grid-column: 1 / -1; font-size: 1rem; }
  .cards td:not(.bare)::before { content: attr(data-label); display: block; font-size: 0.75rem; }
  .cards tbody th:first-child { padding: 0; }
  .cards .wide { grid-column: 1 / -1; }
  .cards .empty { display: none; }
}
"""

JS = """
const tables = new WeakMap();  // by their place, with what they were made of

export default function ({ data, parentElement, setTriggerValue }) {
  const { selected, ...given } = data;
  const made = JSON.stringify(given);
  let shown = tables.get(parentElement);
  if (shown?.made !== made) {
    shown = { made, ...build(given, (row) => choose(shown, row)) };
    parentElement.querySelector('.frame')?.remove();
    parentElement.append(shown.frame);
    tables.set(parentElement, shown);
  }
  shown.say = setTriggerValue;
  mark(shown, selected);
}

function choose(shown, row) {
  mark(shown, row);
  shown.say('row', row);
}

function mark({ frame, lines }, selected) {
  lines.forEach((line, at) => {
    line.classList.toggle('selected', at === selected);
    line.querySelector('button')?.setAttribute('aria-pressed', at === selected);
  });
  const line = lines[selected];
  if (!line || !frame.classList.contains('long')) return;
  const above = line.getBoundingClientRect().top - frame.getBoundingClientRect().top;
  const below = above + line.offsetHeight - frame.clientHeight;
  if (above < 0 || below > 0) frame.scrollTop += above < 0 ? above : below;
}

function build(data, choose) {
  const make = (tag, className, text, role) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    if (role) element.setAttribute('role', role);  // cards are no table to a browser that goes by their look
    return element;
  };
  const bar = (parts) => {
    const shown = make('div', 'bar');
    shown.setAttribute('aria-hidden', 'true');
    for (const part of parts) {
      const piece = make('span', '', part.share >= 0.25 ? part.words : '');
      Object.assign(piece.style, { width: `${100 * part.share}%`, background: part.color, color: part.ink });
      piece.title = part.words;
      shown.append(piece);
    }
    return shown;
  };
  const strip = (cell) => {
    const shown = make('div', 'strip'), image = make('img'), below = make('div');
    image.src = cell.src;
    image.alt = cell.alt;
    for (const words of cell.captions) below.append(make('span', '', words));
    shown.append(image, below);
    return shown;
  };
  const table = make('table', `${data.cards ? 'cards' : ''} ${data.choice ? 'choice' : ''}`, '', 'table');
  table.setAttribute('aria-label', data.label);
  const head = make('thead', '', '', 'rowgroup'), titles = make('tr', '', '', 'row');
  data.columns.forEach((column, at) => {
    const title = make('th', data.classes[at], column, 'columnheader');
    if (!column) title.append(make('span', 'unseen', 'name'));
    titles.append(title);
  });
  head.append(titles);
  const body = make('tbody', '', '', 'rowgroup');
  const lines = data.rows.map((row, number) => {
    const line = make('tr', '', '', 'row');
    if (data.choice) line.onclick = () => choose(number);
    row.forEach((cell, at) => {
      const text = typeof cell === 'string';
      const button = data.choice && !at;
      const place = make(at ? 'td' : 'th', data.classes[at], text && !button ? cell : '', at ? 'cell' : 'rowheader');
      if (button) place.append(make('button', '', cell));
      place.dataset.label = data.columns[at];
      if (!data.columns[at]) place.classList.add('bare');
      if (cell === '') place.classList.add('empty');
      if (cell.parts) place.append(bar(cell.parts), make('span', 'unseen', cell.words));
      if (cell.src) place.append(strip(cell));
      line.append(place);
    });
    return line;
  });
  body.append(...lines);
  if (data.head) table.append(head);
  table.append(body);
  const frame = make('div', data.choice && lines.length > data.whole ? 'frame long' : 'frame');
  frame.append(table);
  return { frame, lines };
}
"""

_component = st.components.v2.component("fer_table", css=CSS, js=JS)
WHOLE = 40  # rows; a longer selectable table scrolls inside itself
PHONE, LETTER, GAP = 330, 7, 12  # pixels: a phone's width, and about those of a character and a column's padding
_NUMBER = re.compile(r"[+−-]?[\d.,]+(%| points?)?|–|")


@dataclass(frozen=True)
class Shares:
    """One stacked bar of the seven classes instead of seven cells. shares: (7,) 0..1, in the order of NAMES."""

    shares: Sequence[float]

    def to_json(self) -> dict[str, object]:
        present = [(name, float(share)) for name, share in zip(NAMES, self.shares, strict=True) if share > 0]
        parts = [
            {"share": share, "words": f"{name} {percent(share)}", "color": COLORS[name], "ink": ink_on(COLORS[name])}
            for name, share in present
        ]
        largest = sorted(present, key=lambda one: -one[1])
        return {"parts": parts, "words": ", ".join(f"{name} {percent(share)}" for name, share in largest)}


@dataclass(frozen=True)
class Strip:
    """Pictures of the same height side by side in one image. source: its address. captions: one below each picture."""

    source: str
    alt: str
    captions: Sequence[str]

    def to_json(self) -> dict[str, object]:
        return {"src": self.source, "alt": self.alt, "captions": list(self.captions)}


Cell = str | Shares | Strip


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    label: str,
    key: str,
    selected: int | None = None,
    on_select: Callable[[int], None] | None = None,
) -> None:
    """Show rows named by their first cell; if they do not fit a narrow screen, each row becomes a card.

    Numbers are text, see fer/wording.py; a column of numbers is right-aligned. label: describes the table to screen
    readers. on_select: makes rows selectable; a callback, given the row's number from 0. selected: the marked row.
    """
    cells = [[cell if isinstance(cell, str) else cell.to_json() for cell in row] for row in rows]
    classes = [_class(list(column)) for column in zip(*rows)]
    data = {
        "label": label,
        "columns": list(columns),
        "classes": classes,
        "cards": "wide" in classes or _least_width(columns, rows) > PHONE,
        "head": any(columns),
        "rows": cells,
        "choice": on_select is not None,
        "whole": WHOLE,
        "selected": selected,
    }

    def picked() -> None:
        row = (session.widget(key, dict) or {}).get("row")
        if on_select and isinstance(row, int) and 0 <= row < len(rows):
            on_select(row)

    handlers: dict[str, Any] = {"on_row_change": picked} if on_select else {}
    _component(data=data, key=key, **handlers)


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> int:
    """The table's approximate minimum width in pixels, with all cells wrapped between words."""
    texts = [[cell for cell in column if isinstance(cell, str)] for column in zip(columns, *rows)]
    longest = [max((len(word) for text in column for word in text.split()), default=0) for column in texts]
    return LETTER * sum(longest) + GAP * (len(columns) - 1)


def _class(column: list[Cell]) -> str:
    if any(not isinstance(cell, str) for cell in column):
        return "wide"
    return "number" if all(isinstance(cell, str) and _NUMBER.fullmatch(cell) for cell in column) else ""
