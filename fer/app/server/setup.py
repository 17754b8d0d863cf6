"""Configure Streamlit's server, which has one limit for all uploads and logs complete exceptions."""

from __future__ import annotations

import logging
import traceback

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from streamlit import config
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from fer.app import session
from fer.limits import MB, hosted, limits
from fer.memory import share_arenas

LOGGERS = ("streamlit.error_util", "streamlit.runtime.scriptrunner.script_runner")
_add_file = MemoryUploadedFileManager.add_file


def largest_bytes() -> int:
    return max(limits().photo_bytes, limits().video_bytes, limits().dataset_bytes)


def prepare() -> None:
    """Call before a page can take an upload or fail; each page also enforces its own upload limit.

    Keeps uploads in memory: Starlette would write those above 1 MB to temporary files.
    """
    config.set_option("server.maxUploadSize", largest_bytes() // MB)
    MultiPartParser.spool_max_size = largest_bytes() + MB
    MemoryUploadedFileManager.add_file = _bounded  # type: ignore[method-assign, assignment]
    share_arenas()
    if hosted():
        config.set_option("logger.enableRich", False)
        for name in LOGGERS:
            logging.getLogger(name).addFilter(without_message)


def _bounded(manager: MemoryUploadedFileManager, session_id: str, file: UploadedFileRec) -> None:
    """Store a visitor's upload, unless it and the page's other uploads exceed the limit."""
    held = sum(
        len(other.data)
        for other in manager.file_storage.get(session_id, {}).copy().values()
        if other.file_id != file.file_id
    )
    if held + len(file.data) > limits().session_bytes:
        raise HTTPException(413, "The files are too large together. Remove some first.")
    _add_file(manager, session_id, file)


def let_go(upload: UploadedFile) -> None:
    """Release Streamlit's copy of an upload that was taken over, which would count until the session ends."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, upload.file_id)


def replace_upload(use: str, upload: UploadedFile | None) -> None:
    """Release the last upload of this use; its uploader, which shows this one or is empty, may have left the page."""
    held = session.held_uploads.get()
    before = held.pop(use, None)
    if upload is not None:
        held[use] = upload
    if before is not None and (upload is None or before.file_id != upload.file_id):
        let_go(before)


def without_message(record: logging.LogRecord) -> bool:
    """A logging filter that keeps an exception's type and place, but not its text, which may contain visitors' data."""
    if record.exc_info and record.exc_info[1] is not None:
        kind, _, places = record.exc_info
        record.msg = f"{record.getMessage()}: {kind.__name__}\n" + "".join(traceback.format_tb(places))
        record.args = record.exc_info = record.exc_text = None
    return True
