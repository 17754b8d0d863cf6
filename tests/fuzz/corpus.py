"""All nasty files in one place: `python -m tests.fuzz.corpus OUT_DIR` writes them, the same for the same --seed."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from random import Random

from tests.fuzz import files
from tests.fuzz.mutate import odd_json
from tests.fuzz.pictures import FORMATS, pictures
from tests.fuzz.videos import videos

DAMAGES = 4  # truncated, and bit-flipped, so many times each


@functools.cache
def corpus(seed: int = 0) -> dict[str, bytes]:
    """{kind/name: content}, kinds being pictures, tables, archives, checkpoints, graphs, runs and videos."""
    whole = pictures(seed)
    kinds = {
        "pictures": whole,
        "tables": files.tables(),
        "archives": files.archives(whole["whole.png"]),
        "checkpoints": files.checkpoints(),
        "graphs": {"whole.onnx": files.graph()},
        "runs": files.run_files(),
        "videos": videos(),
    }
    random = Random(seed)
    found = {f"{kind}/{name}": content for kind, some in kinds.items() for name, content in some.items()}
    bases = [f"pictures/whole.{suffix}" for suffix in FORMATS]
    bases += ["tables/fer2013.csv", "archives/whole.zip", "checkpoints/whole.safetensors", "graphs/whole.onnx"]
    bases += [f"videos/{name}" for name in videos()]
    for name in bases:
        stem, _, suffix = name.rpartition(".")
        for number in range(DAMAGES):
            content, at = found[name], random.randrange(len(found[name]))
            found[f"{stem}-cut-{number}.{suffix}"] = content[:at]
            flipped = bytes([content[at] ^ (1 << random.randrange(8))])
            found[f"{stem}-flipped-{number}.{suffix}"] = content[:at] + flipped + content[at + 1 :]
    found["checkpoints/card.json"] = files.checkpoint()[1]
    for number in range(DAMAGES):
        found[f"checkpoints/card-odd-{number}.json"] = odd_json(random, files.checkpoint()[1])
    return found


def of_kind(kind: str, seed: int = 0) -> dict[str, bytes]:
    """The files of one kind, by their bare names."""
    return {
        name.removeprefix(f"{kind}/"): content for name, content in corpus(seed).items() if name.startswith(f"{kind}/")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the nasty files.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name, content in corpus(options.seed).items():
        file = options.out / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    print(f"{len(corpus(options.seed))} files in {options.out}")


if __name__ == "__main__":
    main()
