"""Read a request's pictures and fields in memory only, enforcing limits as they arrive."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import string
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from fer.limits import MB, Limits
from fer.service.problems import ClientLeftError, ProblemError
from fer.service.work import Place

BODY_S = 60.0  # time for a whole body to arrive
DISCARD_BYTES, DISCARD_S = 256 * MB, 10.0  # of a rejected body: clients do not see the answer while they send
FIELD_BYTES, FIELDS = 4096, 64
BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{1,70}")  # RFC 2046
OVERHEAD = 64 * 1024  # bytes of a JSON body besides its picture
MARKS, MOST_MARKS = (b"[", b"{", b",", b":"), 4 * FIELDS  # a JSON value follows each; base64 has none of them
PICTURE = "image"
TOO_MANY_FIELDS = "There are too many fields, or one is too long. Send fewer or shorter ones."


@dataclass(frozen=True)
class Upload:
    """An uploaded picture. name: from the client, or ""; size: in bytes, including any over the limit, not kept."""

    name: str
    data: bytes = field(repr=False)
    size: int


@dataclass(frozen=True)
class Body:
    """uploads: the pictures. fields: values by name. several: whether the answer is a list."""

    uploads: list[Upload]
    fields: dict[str, list[str]]

    @property
    def several(self) -> bool:
        return len(self.uploads) > 1


async def read_body(request: Request, place: Place, limits: Limits) -> Body:
    """Read a multipart form with one or more `file`, or JSON with `image`; query parameters count as fields.

    Raises ProblemError for any other body, and ClientLeftError if the client disconnects.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    stream = request.stream()
    try:
        async with asyncio.timeout(BODY_S):
            if kind == "multipart/form-data":
                body = await _multipart(request, stream, place, limits)
            elif kind == "application/json":
                body = await _json(stream, place, limits)
            else:
                raise ProblemError(415, 'Send a picture as multipart/form-data (file=...) or as JSON ({"image": ...}).')
    except ClientDisconnect:
        raise ClientLeftError from None
    except TimeoutError:
        raise ProblemError(408, f"The upload took longer than {BODY_S:.0f} s. Send smaller pictures.") from None
    for name, value in request.query_params.multi_items():
        body.fields.setdefault(name, []).append(value)
    return body


class _InMemory(MultiPartParser):
    """Starlette's parser, changed to keep uploads in memory, each up to the limit."""

    spool_max_size = 2**62  # the default writes uploads above 1 MB to a temporary file

    def __init__(self, *arguments: Any, place: Place, most_bytes: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._place, self._most = place, most_bytes
        self.sizes: dict[int, int] = {}  # by the upload's id

    def on_headers_finished(self) -> None:
        part = self._current_part
        _, options = parse_options_header(part.content_disposition)
        if options.get(b"name") == b"file" and b"filename" not in options and part.content_disposition:
            part.content_disposition += b'; filename=""'  # an upload without a name is still a picture
        super().on_headers_finished()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        upload = self._current_part.file
        if upload is not None:
            before = self.sizes.get(id(upload), 0)
            self.sizes[id(upload)] = before + end - start
            end = min(end, start + max(self._most - before, 0))
            self._place.hold(end - start)
        if end > start:
            super().on_part_data(data, start, end)


async def _multipart(request: Request, stream: AsyncGenerator[bytes], place: Place, limits: Limits) -> Body:
    _, options = parse_options_header(request.headers["content-type"])
    boundary = options.get(b"boundary", b"")
    if not BOUNDARY.fullmatch(boundary):
        raise ProblemError(400, "The form's Content-Type has no valid boundary. Let your HTTP library set the header.")
    parser = _InMemory(
        # No other parameter: with a charset the client would choose the codec that reads its names.
        Headers({"content-type": f'multipart/form-data; boundary="{boundary.decode()}"'}),
        stream,
        max_files=limits.photos,
        max_fields=FIELDS,
        max_part_size=FIELD_BYTES,
        place=place,
        most_bytes=limits.photo_bytes,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise ProblemError(422, f"There are too many pictures. Send at most {limits.photos}.") from None
        if error.message.startswith(("Too many fields", "Part exceeded")):
            raise ProblemError(422, TOO_MANY_FIELDS) from None
        raise ProblemError(400, f"The form cannot be read: {error.message.rstrip('.')}.") from None
    uploads, fields = [], dict[str, list[str]]()
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name != "file":
                raise ProblemError(422, f"The picture is in the field {name[:40]!r}. Name the field file.")
            data = value.file.read()
            uploads.append(Upload(value.filename or "", data, parser.sizes.get(id(value), 0)))
            value.file.close()
        else:
            fields.setdefault(name, []).append(value)
    if not uploads:
        raise ProblemError(422, "There is no picture in the form. Send it in the field file.")
    return Body(uploads, fields)


async def _json(stream: AsyncGenerator[bytes], place: Place, limits: Limits) -> Body:
    received = bytearray()
    most = limits.photo_bytes * 4 // 3 + OVERHEAD
    async for chunk in stream:
        if len(received) + len(chunk) > most:
            raise ProblemError(413, f"The body is too large. Send a picture of at most {limits.photo_bytes // MB} MB.")
        place.hold(len(chunk))
        received += chunk
    return await asyncio.to_thread(_parsed, received)


def _parsed(received: bytearray) -> Body:
    if sum(map(received.count, MARKS)) > MOST_MARKS:  # before parsing: values take up to thirty times their text
        raise ProblemError(422, TOO_MANY_FIELDS)
    try:
        values = json.loads(received)
    except ValueError:
        raise ProblemError(400, "The body is not JSON.") from None
    if not isinstance(values, dict) or not isinstance(values.get(PICTURE), str):
        raise ProblemError(422, 'Send an object with the picture as text: {"image": base64 or a data URL}.')
    data = _decoded(values.pop(PICTURE))
    fields = {}
    for name, value in values.items():
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str | int) and not isinstance(each, bool) for each in listed):
            raise ProblemError(422, f"{name[:40]!r} must be text, a whole number, or a list of these.")
        fields[name] = [str(each)[:FIELD_BYTES] for each in listed]
    return Body([Upload("", data, len(data))], fields)


def _decoded(text: str) -> bytes:
    """Decode base64, bare or in a data URL. Never fetches a URL."""
    head, comma, rest = text[:200].partition(",")
    if head[:5].lower() == "data:" and comma:
        if not head.lower().endswith(";base64"):
            raise ProblemError(422, "The data URL is not base64. Start it with data:image/jpeg;base64,")
        text = text[len(head) + 1 :]
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        raise ProblemError(422, "The image is a URL, and URLs are not fetched. Send the picture itself as base64.")
    try:
        return base64.b64decode(text.encode("ascii").translate(None, string.whitespace.encode()), validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(422, "The image is not valid base64.") from None


async def discard(request: Request) -> None:
    """Read and discard a rejected request's remaining body, up to a limit, so that the client reads the answer."""
    count = 0
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: the body was already read
        async with asyncio.timeout(DISCARD_S):
            async for chunk in request.stream():
                count += len(chunk)
                if count > DISCARD_BYTES:
                    return
