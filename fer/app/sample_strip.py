"""A small component of clickable sample thumbnails with captions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from fer.app import resources, session
from fer.app.media import source_of
from fer.vision.images import decode_image

KEY = "sample_strip"
SIDE = 120  # thumbnail size in pixels; shown at half size

CSS = """
ul { display: flex; flex-wrap: wrap; gap: 8px; margin: 0; padding: 3px; list-style: none; }
button { all: unset; cursor: pointer; display: block; width: 60px; font-family: var(--st-font); font-size: 0.75rem;
         line-height: 1.2; text-align: center; color: var(--st-text-color); border-radius: 8px; }
img { display: block; width: 60px; height: 60px; margin-bottom: 3px; border-radius: 8px; }
button:hover img { filter: brightness(1.08); }
button:focus-visible, button[aria-pressed=true] { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
"""

JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const list = document.createElement('ul');
  for (const { name, caption, src, chosen } of data.samples) {
    const item = document.createElement('li'), button = document.createElement('button');
    const image = document.createElement('img');
    image.src = src;
    image.alt = '';
    button.setAttribute('aria-pressed', chosen);
    button.append(image, document.createTextNode(caption));
    button.onclick = () => setTriggerValue('pick', name);
    item.append(button);
    list.append(item);
  }
  const focused = [...parentElement.querySelectorAll('button')].findIndex((one) => one.matches(':focus'));
  parentElement.querySelector('ul')?.remove();
  parentElement.append(list);
  list.querySelectorAll('button')[focused]?.focus();
}
"""

_component = st.components.v2.component("fer_sample_strip", css=CSS, js=JS)


def choose_sample(chosen: str | None, on_pick: Callable[[str], None]) -> None:
    """Show the thumbnails. chosen: the sample to mark. on_pick: a callback, given the name of the clicked one."""

    def picked() -> None:
        name = (session.widget(KEY, dict) or {}).get("pick")
        if name in resources.SAMPLE_NAMES:
            on_pick(name)

    samples = [
        {"name": name, "caption": caption.partition(",")[0], "src": _thumbnail(name), "chosen": name == chosen}
        for name, caption in resources.SAMPLE_NAMES.items()
    ]
    _component(data={"samples": samples}, key=KEY, on_pick_change=picked)


@cache
def _thumbnail(name: str) -> str:
    photo = Image.fromarray(decode_image(resources.sample_bytes(name)))
    return source_of(np.asarray(ImageOps.fit(photo, (SIDE, SIDE), centering=(0.5, 0.2))))
