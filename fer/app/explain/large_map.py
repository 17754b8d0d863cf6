"""The chosen map, large, over the face: its opacity follows the slider at once, without the server."""

from __future__ import annotations

import streamlit as st

from fer.app import session

KEY = "explain_large_map"
SIDE = 528  # pixels
CSS = """
.map { display: flex; gap: 12px; font-family: var(--st-font); color: var(--st-text-color); }
.picture { position: relative; flex: 1; aspect-ratio: 1; border-radius: 8px; overflow: hidden; background: #000; }
.picture img { position: absolute; inset: 0; width: 100%; height: 100%; }
label { display: flex; flex-direction: column; align-items: center; gap: 8px; font-size: 0.8rem; width: 52px; }
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
    const picture = make('div', 'picture');
    picture.append(make('img', 'face'), make('img', 'marks'));
    const label = make('label'), slider = make('input'), shown = make('output');
    label.append('Opacity', slider, shown);
    Object.assign(slider, { type: 'range', min: 0, max: 100, step: 5 });
    slider.oninput = () => {
      root.querySelector('.marks').style.opacity = slider.value / 100;
      shown.textContent = `${slider.value}%`;
    };
    root.append(picture, label);
    parentElement.append(root);
  }
  const face = root.querySelector('.face'), marks = root.querySelector('.marks');
  const slider = root.querySelector('input'), label = root.querySelector('label');
  slider.onchange = () => setStateValue('opacity', Number(slider.value));
  face.src = data.face;
  face.alt = '';
  marks.src = data.marks;
  marks.alt = data.alt;
  label.style.display = data.alone ? 'none' : '';
  if (document.activeElement !== slider && parentElement.getRootNode().activeElement !== slider) {
    slider.value = data.opacity;
    slider.oninput();
  }
  if (data.alone) marks.style.opacity = 1;
}
"""

_component = st.components.v2.component("fer_large_map", css=CSS, js=JS)


def large_map(face: str, marks: str, alt: str, opacity: int, alone: bool) -> None:
    """face, marks: images' addresses, of the face and of what is laid over it. opacity: in percent, to begin with."""
    data = {"face": face, "marks": marks, "alt": alt, "opacity": opacity, "alone": alone}
    _component(data=data, key=KEY, on_opacity_change=lambda: None)


def opacity() -> int:
    """What the slider says, in percent; 80 until it was moved."""
    value = (session.widget(KEY, dict) or {}).get("opacity")
    return min(max(int(value), 0), 100) if isinstance(value, (int, float)) else 80
