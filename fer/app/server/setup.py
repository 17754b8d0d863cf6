"""What is set on Streamlit's server itself, which knows one limit for all uploads and logs whole exceptions."""

from __future__ import annotations

import logging
import traceback

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from streamlit import config
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from fer.limits import MB, hosted, limits
from fer.memory import share_arenas

LOGGERS = ("streamlit.error_util", "streamlit.runtime.scriptrunner.script_runner")
_add_file = MemoryUploadedFileManager.add_file


def largest_bytes() -> int:
    return max(limits().photo_bytes, limits().video_bytes, limits().dataset_bytes)


def prepare() -> None:
    """Before a page can take an upload or fail; each page then refuses what is over its own limit.

    Starlette puts an upload of more than 1 MB into a temporary file, and pictures are not to be written to disk.
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
    """Keep a visitor's upload, unless with all the others that their page holds it would be too much."""
    held = sum(
        len(other.data)
        for other in manager.file_storage.get(session_id, {}).copy().values()
        if other.file_id != file.file_id
    )
    if held + len(file.data) > limits().session_bytes:
        raise HTTPException(413, "Too much at once: take some files out first.")
    _add_file(manager, session_id, file)


def let_go(upload: UploadedFile) -> None:
    """Free Streamlit's own hold on an upload that was taken over, which else would count until the session ends."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, upload.file_id)


def without_message(record: logging.LogRecord) -> bool:
    """A logging filter: of an exception its kind and place stay; its text may hold a name, or what was uploaded."""
    if record.exc_info and record.exc_info[1] is not None:
        kind, _, places = record.exc_info
        record.msg = f"{record.getMessage()}: {kind.__name__}\n" + "".join(traceback.format_tb(places))
        record.args = record.exc_info = record.exc_text = None
    return True
