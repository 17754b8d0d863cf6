"""onnxruntime-web (MIT), which runs networks in WebAssembly: downloaded once, like YuNet, and served from here.

FER_ORT_WEB names a folder that has both files, such as node_modules/onnxruntime-web/dist.

python -m fer.app.predict.browser.ort_web FOLDER    downloads them to a folder, for building an image
"""

from __future__ import annotations

import sys
from pathlib import Path

from fer.fetched_file import FetchedFile

VERSION = "1.30.0"


def _file(name: str, sha256: str) -> FetchedFile:
    hosts = ("https://cdn.jsdelivr.net/npm", "https://unpkg.com")
    urls = tuple(f"{host}/onnxruntime-web@{VERSION}/dist/{name}" for host in hosts)
    return FetchedFile(name, sha256, urls, named_by="FER_ORT_WEB")


MODULE = _file("ort.wasm.bundle.min.mjs", "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90")
WASM = _file("ort-wasm-simd-threaded.wasm", "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2")


def obtain(wait_s: float) -> tuple[Path, Path] | None:
    """(module, wasm) if both are present, or arrive within wait_s."""
    module, wasm = MODULE.obtain(wait_s), WASM.obtain(wait_s)
    return (module, wasm) if module and wasm else None


def coming() -> bool:
    return MODULE.coming or WASM.coming


if __name__ == "__main__":
    if not all(file.fetch_into(Path(sys.argv[1])) for file in (MODULE, WASM)):
        sys.exit(f"onnxruntime-web could not be downloaded from {WASM.urls[0]}")
