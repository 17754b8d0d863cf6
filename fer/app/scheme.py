"""Follow the visitor's color scheme: Streamlit switches at once, but redraws charts only when the page reruns."""

from __future__ import annotations

import streamlit as st

KEY = "color_scheme"
JS = """
const pages = new WeakMap();  // what each drawing of the component listens with

export default function ({ parentElement, setTriggerValue }) {
  pages.get(parentElement)?.abort();
  const listening = new AbortController();
  pages.set(parentElement, listening);
  const changed = () => setTimeout(() => setTriggerValue('changed', true), 300);  // once Streamlit has its new colors
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed, { signal: listening.signal });
  return () => listening.abort();
}
"""

_component = st.components.v2.component("fer_color_scheme", js=JS)


def follow() -> None:
    """Rerun the page when the scheme changes; shows nothing."""
    _component(data={}, key=KEY, on_changed_change=lambda: None)
