"""An invisible component that takes photos pasted into the page or dropped anywhere on it.

An uploader takes only files dropped on itself; the browser would open other dropped files and leave the page. An
uploader marks files that are too large only until it is emptied, so if one of them is, all come through this component.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import streamlit as st

from fer.app import session
from fer.errors import ImageError
from fer.limits import MB, limits

KEY = "dropped_photos"
MOST_BYTES = 100 * MB  # at once, since they come in one message, which Streamlit's server limits to 200 MB
UNNAMED = ("", "image.png")  # browsers' name for a copied picture that is not a file

# For the whole page: hides the uploader's own "30MB per file", since its label says it better.
CSS = """
[data-testid=stFileUploaderDropzoneInstructions] {
  display: none;
}
"""
JS = """
const TYPING = 'input, textarea, select, [contenteditable=true]';
const within = (event, selector) => event.composedPath().some((at) => at.matches?.(selector));
const onUploader = (event) => within(event, '[data-testid=stFileUploaderDropzone]');
const pages = new WeakMap();  // what each drawing of the component listens with

const base64 = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

export default function ({ data, parentElement, setTriggerValue }) {
  const send = async (files) => {
    let bytes = 0;
    const photos = await Promise.all(files.map(async (file) => {
      const fits = file.size <= data.photo_bytes && (bytes += file.size) <= data.most_bytes;
      return { name: file.name, size: file.size, data: fits ? await base64(file).catch(() => '') : '' };
    }));
    setTriggerValue('photos', photos);
  };
  const tooLarge = (event, files) => within(event, `[class*=st-key-${data.uploader}]`)
    && [...files].some((file) => file.size > data.photo_bytes);
  const take = (event, files) => {
    event.preventDefault();
    event.stopPropagation();
    send([...files]);
  };
  const change = (event) => {
    if (event.target.type === 'file' && tooLarge(event, event.target.files)) take(event, event.target.files);
  };
  const paste = (event) => {
    if (event.composedPath()[0].closest?.(TYPING)) return;
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith('image/'));
    if (files.length) take(event, files);
  };
  const over = (event) => {
    if (event.dataTransfer?.types.includes('Files') && !onUploader(event)) event.preventDefault();
  };
  const drop = (event) => {
    const files = event.dataTransfer?.files ?? [];
    if (files.length && (!onUploader(event) || tooLarge(event, files))) take(event, files);
  };
  pages.get(parentElement)?.abort();
  const listening = new AbortController();  // before all others: an uploader is not to see what is taken
  const first = { signal: listening.signal, capture: true };
  pages.set(parentElement, listening);
  document.addEventListener('change', change, first);
  document.addEventListener('paste', paste, first);
  document.addEventListener('dragover', over, first);
  document.addEventListener('drop', drop, first);
  return () => pages.get(parentElement)?.abort();
}
"""

_component = st.components.v2.component("fer_dropped_photos", css=CSS, js=JS, isolate_styles=False)


def listen(on_photos: Callable[[], None], uploader: str) -> None:
    """Take photos that are dropped, or pasted outside of text fields. on_photos: calls `received`.

    uploader: the prefix of photo uploaders' keys.
    """
    data = {"photo_bytes": limits().photo_bytes, "most_bytes": MOST_BYTES, "uploader": uploader}
    _component(data=data, key=KEY, on_photos_change=on_photos)


def received() -> tuple[list[tuple[str, bytes]], list[str]]:
    """In the callback: names and bytes, and a sentence about each rejected photo."""
    taken, sentences = [], []
    for name, size, encoded in _described((session.widget(KEY, dict) or {}).get("photos")):
        try:
            taken.append((name, _bytes_of(name, size, encoded)))
        except ImageError as error:
            sentences.append(error.message)
    return taken, sentences


def _described(said: object) -> list[tuple[str, int, str]]:
    """Name, size and base64 data from the browser's message, as far as valid."""
    found = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return [
        ("pasted.png" if name in UNNAMED else name, size, encoded)
        for one in found
        for name, size, encoded in [(one.get("name"), one.get("size"), one.get("data"))]
        if isinstance(name, str) and isinstance(size, int) and isinstance(encoded, str)
    ]


def _bytes_of(name: str, size: int, encoded: str) -> bytes:
    """Raises ImageError if the photo is too large or incomplete."""
    most = limits().photo_bytes
    if size > most or len(encoded) > 4 * (most // 3 + 1):
        raise ImageError(f"{name} is {size / MB:.1f} MB; the limit is {most // MB} MB. Save it smaller.")
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        data = b""
    if not data:
        raise ImageError(f"{name} did not arrive completely. Upload it instead.")
    return data
