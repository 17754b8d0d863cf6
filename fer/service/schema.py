"""The service's requests and responses, for its OpenAPI description."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fer.explanation.methods import METHODS
from fer.expressions import NAMES
from fer.limits import MB, Limits
from fer.service.problems import MEDIA_TYPE
from fer.vision.registry import DETECTORS


class _Record(BaseModel):
    model_config = ConfigDict(extra="allow")


class Quality(_Record):
    """Whether a face can be read and, if not, why."""

    ok: bool
    reasons: list[str]


class Face(_Record):
    """One face. answer: the expression or "not sure"; set: the prediction set; box: [x, y, width, height] in pixels."""

    box: list[float]
    score: float
    detector: str
    quality: Quality
    answer: str
    expression: str
    confidence: float
    sure: bool
    set: list[str]
    probabilities: dict[str, float]


class ReadError(BaseModel):
    """Why a picture could not be read."""

    type: str
    message: str


class Photo(_Record):
    """What `fer predict --json` prints for a photo."""

    path: str
    width: int | None
    height: int | None
    rotation: int
    faces: list[Face]
    notes: list[str]
    error: ReadError | None


class Map(BaseModel):
    """One map, for a class and a method. values: rows in the network's input; png: the map over the face, base64."""

    method: str
    class_: str = Field(alias="class")
    in_words: str
    regions: dict[str, float]
    values: list[list[float]]
    png: str


class Maps(BaseModel):
    """One face, explained."""

    path: str
    width: int
    height: int
    model: str
    layer: str
    face: Face
    maps: list[Map]


class Model(_Record):
    """A model that requests may name, with facts from its card."""

    name: str
    default: bool
    architecture: str
    input_size: int
    layers: list[str]
    threshold: float
    metrics: dict[str, Any]
    data: str


class Health(BaseModel):
    """The service is running, with this version and these defaults."""

    status: str
    version: str
    model: str
    detector: str


class Problem(_Record):
    """An error (RFC 9457). detail: what is wrong and what to do; error: its name, if the picture raised it."""

    type: str
    title: str
    status: int
    detail: str


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """An endpoint's possible errors, by status."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _MEANING[status], "content": content} for status in statuses}


_MEANING = {
    400: "The body cannot be parsed.",
    401: "The token is missing or wrong.",
    403: "The page's origin is not allowed.",
    408: "The upload took too long.",
    413: "The upload is too large.",
    415: "The body's content type is not supported.",
    421: "The host is not allowed.",
    422: "The picture or a field cannot be used.",
    501: "PyTorch is not installed here.",
    503: "The service is busy.",
}
READING: dict[str, dict[str, Any]] = {
    "model": {"type": "string", "description": "A name from /models."},
    "detector": {"type": "string", "enum": list(DETECTORS), "description": "none treats the picture as one face."},
}
EXPLAINING: dict[str, dict[str, Any]] = {
    **READING,
    "class": {"type": "array", "items": {"type": "string", "enum": list(NAMES)}, "maxItems": len(NAMES)},
    "method": {"type": "array", "items": {"type": "string", "enum": list(METHODS)}, "maxItems": len(METHODS)},
    "layer": {"type": "string", "description": "For Grad-CAM: one of the model's layers, or fused."},
    "face": {"type": "integer", "minimum": 1, "description": "The largest is 1."},
}


def body(fields: dict[str, dict[str, Any]], limits: Limits, models: list[str], several: bool) -> dict[str, Any]:
    """OpenAPI parts for an endpoint that takes a picture, and these fields in the form, the JSON or the query."""
    fields = {**fields, "model": {**fields["model"], "enum": models}}
    file: dict[str, Any] = {"type": "string", "format": "binary"}
    files = {"type": "array", "items": file, "minItems": 1, "maxItems": limits.photos} if several else file
    image = {"type": "string", "description": f"Base64 or a data URL, up to {limits.photo_bytes // MB} MB."}
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": files, **fields}, "required": ["file"]}
                },
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"image": image, **fields},
                        "required": ["image"],
                        "additionalProperties": False,
                    }
                },
            },
        },
    }
