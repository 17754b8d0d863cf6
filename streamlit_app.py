"""Where `streamlit run` begins: it imports this file for its server, and runs it for each visitor's Home page."""

from __future__ import annotations

if __name__ == "__main__":
    from fer.app import home

    home.show()
else:
    from streamlit.starlette import App

    from fer.app.server import asgi

    app = App("streamlit_app.py", routes=asgi.routes(), middleware=asgi.middleware())
