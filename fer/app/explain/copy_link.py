"""A button that copies the page's address, which reopens the current view."""

from __future__ import annotations

import streamlit as st

CSS = """
button { font: inherit; font-family: var(--st-font); font-size: 0.9rem; color: var(--st-text-color); cursor: pointer;
         background: transparent; border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, 8px);
         padding: 0.4rem 0.8rem; min-height: 2.5rem; }
button:hover, button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); }
"""
JS = """
export default function ({ parentElement }) {
  if (parentElement.querySelector('button')) return;
  const button = document.createElement('button');
  const say = (words) => { button.textContent = words; };
  button.type = 'button';
  button.setAttribute('aria-live', 'polite');
  say('Copy link');
  const put = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = document.createElement('textarea');  // where the page is not secure
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  };
  button.onclick = async () => {
    try {
      await put(location.href);
      say('Link copied');
    } catch {
      say('Copy the address from your browser');
    }
    setTimeout(() => say('Copy link'), 2500);
  };
  parentElement.append(button);
}
"""

_component = st.components.v2.component("fer_copy_link", css=CSS, js=JS)


def copy_link() -> None:
    _component(key="explain_copy_link")
