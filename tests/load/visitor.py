"""A visitor without a browser: speaks Streamlit's websocket, puts a photo in, opens Explain."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE_S = 120.0


class Unserved(Exception):
    """The app did not do what the visitor came for."""


class Visitor:
    """One session. address: http://host:port. The elements of the page as drawn last are in `elements`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = requests.Session()
        self._http.get(f"{address}/_stcore/health", timeout=PATIENCE_S).raise_for_status()
        xsrf = self._http.cookies.get("_streamlit_xsrf", "")
        self._http.headers["X-Xsrftoken"] = xsrf
        cookies = "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())
        self._socket = connect(
            f"{address.replace('http', 'ws', 1)}/_stcore/stream",
            max_size=None,
            subprotocols=["streamlit", *([xsrf] if xsrf else [])],
            origin=address,
            additional_headers={"Cookie": cookies},
            open_timeout=PATIENCE_S,
        )
        self._page, self._session = "", ""
        self._kept: dict[str, WidgetState] = {}
        self.elements: list = []
        self.fragments: dict[str, str] = {}  # of each component the fragment that it stands in

    def close(self) -> None:
        self._socket.close()

    def open_page(self, name: str, query: str = "") -> None:
        message = BackMsg()
        message.rerun_script.page_name, message.rerun_script.query_string = name, query
        self._send(message)

    def upload(self, name: str, data: bytes) -> None:
        """Put a file into the page's first uploader."""
        uploader = self.await_element(lambda element: element.WhichOneof("type") == "file_uploader").file_uploader
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.session_id = self._session
        message.file_urls_request.file_names.append(name)
        self._send(message)
        (urls,) = self._await(
            lambda message: message.file_urls_response.file_urls if message.HasField("file_urls_response") else None
        )
        answer = self._http.put(self.address + urls.upload_url, files={"file": (name, data)}, timeout=PATIENCE_S)
        answer.raise_for_status()
        state = WidgetState(id=uploader.id)
        info = state.file_uploader_state_value.uploaded_file_info.add(name=name, size=len(data), file_id=urls.file_id)
        info.file_urls.CopyFrom(urls)
        self._kept[uploader.id] = state
        self._rerun()

    def click(self, label: str) -> None:
        button = self.await_element(
            lambda element: element.WhichOneof("type") == "button" and element.button.label == label
        ).button
        self._rerun(WidgetState(id=button.id, trigger_value=True))

    def trigger(self, component: object, event: str, value: object) -> None:
        """What a component of the second kind says; only the fragment around it runs again."""
        aggregator = f"$$STREAMLIT_INTERNAL_KEY_{component.id}__events"
        says = WidgetState(id=aggregator, json_trigger_value=json.dumps([{"event": event, "value": value}]))
        self._rerun(says, fragment=self.fragments[component.id])

    def await_text(self, pattern: str) -> str:
        """The first text of the page that the pattern is found in."""
        found = self.await_element(lambda element: re.search(pattern, text_of(element)))
        return text_of(found)

    def await_component(self, name: str) -> object:
        """The component of the second kind that is registered under this name."""
        return self.await_element(lambda element: element.bidi_component.component_name == name).bidi_component

    def await_element(self, wanted: Callable) -> object:
        for element in self.elements:
            if wanted(element):
                return element

        def look(message: ForwardMsg) -> object:
            element = message.delta.new_element if message.WhichOneof("type") == "delta" else None
            return element if element is not None and wanted(element) else None

        return self._await(look)

    def await_end(self) -> None:
        """Until the page's script has run to its end."""
        self._await(
            lambda message: (
                message.WhichOneof("type") == "script_finished"
                and message.script_finished
                in (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
            )
        )

    def _rerun(self, *triggers: WidgetState, fragment: str = "") -> None:
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.widget_states.widgets.extend([*self._kept.values(), *triggers])
        self.elements = []
        self._send(message)

    def _send(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def _await(self, look: Callable[[ForwardMsg], object]) -> object:
        """Read messages until `look` finds something. Raises Unserved for an error on the page, or none in time."""
        end = time.monotonic() + PATIENCE_S
        while (left := end - time.monotonic()) > 0:
            try:
                message = ForwardMsg.FromString(self._socket.recv(timeout=left))
            except TimeoutError:
                break
            except ConnectionClosed as error:
                raise Unserved(f"The connection was closed: {error}") from None
            self._note(message)
            if found := look(message):
                return found
        raise Unserved(f"Nothing came within {PATIENCE_S:.0f} s.")

    def _note(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session, self.elements = message.new_session.initialize.session_id, []
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "delta":
            element = message.delta.new_element
            self.elements.append(element)
            if element.WhichOneof("type") == "bidi_component":
                self.fragments[element.bidi_component.id] = message.delta.fragment_id
            if element.WhichOneof("type") == "exception" or (
                element.WhichOneof("type") == "alert" and "went wrong" in element.alert.body
            ):
                raise Unserved(f"The page shows an error: {text_of(element) or element.exception.message}")


def text_of(element) -> str:
    kind = element.WhichOneof("type")
    if kind in ("markdown", "alert", "heading"):
        return getattr(element, kind).body
    return ""
