"""Nasty tables, archives, run directories and checkpoints, beside whole ones to start a mutation from."""

from __future__ import annotations

import functools
import io
import json
import struct
import zipfile

import numpy as np
import onnx
import safetensors.torch
import torch
from onnx import helper, numpy_helper

from fer.data.ferplus import VOTE_NAMES
from fer.models.card import Card
from fer.models.onnx_check import metadata_of
from fer.models.registry import build
from fer.preprocessing import Preprocessing
from fer.records import EpochRecord
from fer.training.config import TrainConfig

PIXELS = " ".join(["7"] * 2304)
ROW = f"3,{PIXELS},Training\n"
SCRIPT = "<script>alert(1)</script>"


def tables() -> dict[str, bytes]:
    """CSV files of FER2013's kind, of votes, and about pictures."""
    votes = ",".join(["Usage", "Image name", *VOTE_NAMES]) + "\nTraining,fer0000000.png,9,0,0,0,0,1,0,0,0,0\n"
    texts = {
        "fer2013.csv": "emotion,pixels,Usage\n" + ROW * 3,
        "train.csv": f"emotion,pixels\n4,{PIXELS}\n",
        "test.csv": f"pixels\n{PIXELS}\n",
        "icml.csv": f"emotion, Usage, pixels\n1,PublicTest,{PIXELS}\n",
        "votes.csv": votes,
        "slices.csv": "file,source,age\nfer0000000.png,a,3\nfer0000001.png,=b,4\n",
        "script.csv": f"{SCRIPT},pixels,emotion\n{SCRIPT},{SCRIPT},{SCRIPT}\n",
        "twice.csv": f"pixels,pixels,emotion\n{PIXELS},3\n",
        "quote.csv": 'emotion,pixels\n3,"' + "1\n" * 3000,
        "digits.csv": f"emotion,pixels\n{'1' * 5000},{PIXELS}\n",
        "empty.csv": "",
        "header.csv": "emotion,pixels\n",
        "long.csv": "pixels\n" + "9" * 200_000 + "\n",
        "wide.csv": "file," + "a," * 3000 + "\nfer0000000.png\n" * 300,
        "returns.csv": f"emotion,pixels\r3,{PIXELS}\r",
        "spaces.csv": f"emotion,pixels\n3,{PIXELS.replace(' ', '  ')}\n",
        "votes-huge.csv": votes.replace(",9,", f",{10**30},"),
    }
    found = {name: text.encode() for name, text in texts.items()}
    return found | {
        "utf16.csv": texts["fer2013.csv"].encode("utf-16"),
        "nul.csv": b"emotion,pixels\n3,\0\n",
        "latin.csv": b"emotion,pixels\n\xe4,1\n",
        "mark.csv": b"\xef\xbb\xbf" + found["train.csv"],
    }


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)  # dated 1980: the same bytes every time
            info.filename, info.compress_type = name, method
            archive.writestr(info, content)
    return file.getvalue()


def archives(picture: bytes) -> dict[str, bytes]:
    """Zips that hold this picture, and zips that are broken, or lead elsewhere."""
    whole = zipped({"train/happy/1.png": picture, "train/sad/2.png": picture})
    names = [
        "../1.png",
        "/tmp/1.png",
        "C:\\1.png",
        "..\\1.png",
        "happy/../../1.png",
        "happy/1.png\0.exe",
        "~/1.png",
        "__MACOSX/../../1.png",
        f"{SCRIPT}/1.png",
        "happy/" + "x" * 300 + ".png",
        "happy//./1.png",
        "./.png",
    ]
    found = {f"leads-{number}.zip": zipped({name: picture}) for number, name in enumerate(names)}
    latin = bytearray(zipped({"happy/é.png": picture}))
    nameless = zipped({"a": picture}, zipfile.ZIP_STORED)
    for kind, at in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):  # the name's length
        start = nameless.index(kind)
        nameless = nameless[: start + at] + b"\0\0" + nameless[start + at + 2 :]
    return found | {
        "whole.zip": whole,
        "stored.zip": zipped({"happy/1.png": picture}, zipfile.ZIP_STORED),
        "torn.zip": whole[:-30],
        "bzip2.zip": zipped({"happy/1.png": picture}, zipfile.ZIP_BZIP2),
        "lzma.zip": zipped({"happy/1.png": picture}, zipfile.ZIP_LZMA),
        "bomb.zip": zipped({"happy/1.png": b"\x89PNG" + bytes(3 * 2**20)}),
        "nested.zip": zipped({"a.zip": whole}),
        "file-and-folder.zip": zipped({"happy/1.png": picture, "happy/1.png/2.png": picture}),
        "not-utf-8.zip": bytes(latin).replace("é".encode(), b"\xff\xfe"),
        "nameless.zip": nameless,
        "ahead.zip": b"MZ" * 40 + whole,
        "end-only.zip": b"PK\5\6" + bytes(18),
        "no-zip.zip": picture,
    }


@functools.cache
def checkpoint() -> tuple[bytes, bytes]:
    """A whole mini_xception and its card, which names no sha256 so that damage behind it is reached."""
    torch.manual_seed(0)
    blob = safetensors.torch.save(build("mini_xception").state_dict())
    return blob, json.dumps({**Card("mini_xception").to_json(), "metrics": {"accuracy": 0.5}}).encode()


def tensors_file(header: object, content: bytes = b"") -> bytes:
    """A safetensors file with this header."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def checkpoints() -> dict[str, bytes]:
    """Files named .safetensors that are none, or say what is not so."""
    pickled = b"\x80\x04\x95\x1a\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."
    one = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    return {
        "whole.safetensors": checkpoint()[0],
        "pickled.safetensors": pickled,
        "header-10-gb.safetensors": struct.pack("<Q", 10 * 2**30) + b"{}",
        "empty.safetensors": b"",
        "header-torn.safetensors": checkpoint()[0][:50],
        "one.safetensors": tensors_file(one, bytes(8)),
        "overlap.safetensors": tensors_file({**one, "b": one["a"]}, bytes(8)),
        "beyond.safetensors": tensors_file({"a": {**one["a"], "data_offsets": [0, 2**62]}}, bytes(8)),
        "many.safetensors": tensors_file({"a": {**one["a"], "shape": [2**40, 2**40]}}, bytes(8)),
        "kind.safetensors": tensors_file({"a": {**one["a"], "dtype": "F4"}}, bytes(8)),
        "deep.safetensors": struct.pack("<Q", 60_000) + b"[" * 60_000,
    }


@functools.cache
def graph() -> bytes:
    """A whole small ONNX network with its card in the metadata."""
    nodes = [
        helper.make_node("Conv", ["faces", "kernel", "bias"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Constant", [], ["shape"], value=numpy_helper.from_array(np.array([0, -1]), "shape")),
        helper.make_node("Reshape", ["c", "shape"], ["d"]),
        helper.make_node("Gemm", ["d", "weight"], ["logits"]),
    ]
    rng = np.random.default_rng(0)
    sizes = {"kernel": (2, 1, 3, 3), "bias": (2,), "weight": (32, 7)}
    weights = [numpy_helper.from_array(rng.normal(size=size).astype(np.float32), name) for name, size in sizes.items()]
    ends = [
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)]
        for name, shape in (("faces", ["n", 1, 8, 8]), ("logits", ["n", 7]))
    ]
    made = helper.make_graph(nodes, "faces", *ends, weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata_of(Card("onnx", Preprocessing(input_size=8))))
    return model.SerializeToString()


def run_files() -> dict[str, bytes]:
    """A run directory's text files, whole."""
    record = EpochRecord(1, 1.0, 0.5, 1.1, 0.4, 0.6, (0.5,) * 7, ((1,) * 7,) * 7, 0.05, 2.0, 900.0, True)
    lines = "".join(json.dumps({**record.to_json(), "epoch": epoch}) + "\n" for epoch in (1, 2))
    rows = "".join(json.dumps({"epoch": epoch, "probabilities": [[1 / 7] * 7] * 2}) + "\n" for epoch in (1, 2))
    status = {"state": "running", "heartbeat": 1.0, "pid": 1, "epoch": 1, "epochs": 2}
    config = TrainConfig("nowhere.csv", epochs=1)
    return {
        "config.json": json.dumps(config.to_json()).encode(),
        "metrics.jsonl": lines.encode(),
        "status.json": json.dumps(status).encode(),
        "watch.json": b'{"labels": [0, 1]}',
        "watch.jsonl": rows.encode(),
        "state/current": b"0002\n",
        "state/0002/last.json": b'{"epoch": 2, "sha256": ""}',
    }


def grays(seed: int = 0) -> np.ndarray:
    """The wall's strip of two faces."""
    return np.random.default_rng(seed).integers(0, 255, (48, 96), np.uint8)
