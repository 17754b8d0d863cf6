"""The chosen map, large, over the face, with a legend; the opacity slider works without the server."""

from __future__ import annotations

import streamlit as st

from fer.app import session

KEY = "explain_large_map"
SIDE = 528  # pixels
CSS = """
.map { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 8px 12px; font-family: var(--st-font);
       color: var(--st-text-color); font-size: 0.8rem; }
.picture { position: relative; aspect-ratio: 1; border-radius: 8px; overflow: hidden; background: #000; }
.picture img, .scale img { position: absolute; inset: 0; width: 100%; height: 100%; }
.scale { position: relative; height: 12px; border-radius: 3px; overflow: hidden; background: #808080; }
.ends { display: flex; justify-content: space-between; gap: 16px; margin-top: 4px; line-height: 1.3; }
.ends span:last-child { text-align: right; }
label { display: flex; flex-direction: column; align-items: center; gap: 8px; width: 52px; }
input { writing-mode: vertical-lr; direction: rtl; flex: 1; accent-color: var(--st-primary-color); min-height: 120px; }
output { font-variant-numeric: tabular-nums; }
"""
JS = """
export default function ({ data, parentElement, setStateValue }) {
  const make = (tag, className) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    return element;
  };
  let root = parentElement.querySelector('.map');
  if (!root) {
    root = make('div', 'map');
    const picture = make('div', 'picture'), legend = make('div', 'legend'), scale = make('div', 'scale');
    const ends = make('div', 'ends');
    picture.append(make('img', 'face'), make('img', 'marks'));
    scale.append(make('img', 'marks colors'));
    ends.append(make('span'), make('span'));
    legend.append(scale, ends);
    const label = make('label'), slider = make('input'), shown = make('output');
    label.append('Opacity', slider, shown);
    Object.assign(slider, { type: 'range', min: 0, max: 100, step: 5 });
    slider.oninput = () => {
      for (const marks of root.querySelectorAll('.marks')) marks.style.opacity = slider.value / 100;
      shown.textContent = `${slider.value}%`;
    };
    root.append(picture, label, legend);
    parentElement.append(root);
  }
  const face = root.querySelector('.face'), marks = root.querySelector('.marks');
  const colors = root.querySelector('.colors'), [low, high] = root.querySelectorAll('.ends span');
  const slider = root.querySelector('input'), label = root.querySelector('label');
  slider.onchange = () => setStateValue('opacity', Number(slider.value));
  face.src = data.face;
  face.alt = '';
  marks.src = data.marks;
  marks.alt = data.alt;
  colors.src = data.colors;
  colors.alt = '';
  low.textContent = data.ends[0];
  high.textContent = data.ends[1];
  label.style.display = data.alone ? 'none' : '';
  if (document.activeElement !== slider && parentElement.getRootNode().activeElement !== slider) {
    slider.value = data.opacity;
    slider.oninput();
  }
  if (data.alone) marks.style.opacity = colors.style.opacity = 1;
}
"""

_component = st.components.v2.component("fer_large_map", css=CSS, js=JS)


def large_map(face: str, marks: str, alt: str, colors: str, ends: tuple[str, str], opacity: int, alone: bool) -> None:
    """face, marks, colors: the addresses of the images of the face, the overlay and the color scale. ends: the meaning
    of the scale's ends. opacity: the initial percentage.
    """
    data = {
        "face": face,
        "marks": marks,
        "alt": alt,
        "colors": colors,
        "ends": ends,
        "opacity": opacity,
        "alone": alone,
    }
    _component(data=data, key=KEY, on_opacity_change=lambda: None)


def opacity() -> int:
    """The slider's value in percent; 80 until it is moved."""
    value = (session.widget(KEY, dict) or {}).get("opacity")
    return min(max(int(value), 0), 100) if isinstance(value, (int, float)) else 80
