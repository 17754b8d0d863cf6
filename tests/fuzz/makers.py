"""How each target's input is made, by chance: from the corpus by damage, or by a grammar. {file name: content}."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import cv2
import onnx

from fer.data.ferplus import FERPLUS_FILE
from fer.data.labels import CLASS_WORDS, SPLIT_WORDS
from fer.models.onnx_check import OPERATORS
from tests.fuzz import files, grammar
from tests.fuzz.corpus import of_kind
from tests.fuzz.mutate import damaged, odd_json

Input = dict[str, bytes]


def one_of(kind: str) -> Callable[[Random], Input]:
    """A file of the corpus, nearly always damaged."""

    def make(random: Random) -> Input:
        some = of_kind(kind)
        names = list(some)
        data = some[random.choice(names)]
        return {"input": damaged(random, data, some[random.choice(names)]) if random.randrange(20) else data}

    return make


def or_made(kind: str, make: Callable[[Random], bytes]) -> Callable[[Random], Input]:
    """A damaged file of the corpus, or, as often, one that is nearly right."""
    return lambda random: {"input": make(random)} if random.randrange(2) else one_of(kind)(random)


def csv_with_votes(random: Random) -> Input:
    name = random.choice(("fer2013.csv", "fer2013.csv", "test.csv", "my_val.csv"))
    found = {name: or_made("tables", grammar.faces_table)(random)["input"], **classes(random)}
    votes = or_made("tables", grammar.votes_table)
    return found if random.randrange(4) else {**found, FERPLUS_FILE: votes(random)["input"]}


def classes(random: Random) -> Input:
    """Now and then, what folders or labels of other names show, damaged at times."""
    if random.randrange(4):
        return {}
    names = random.sample(("7", "0", "contempt", "<b>happy<b>", "1", '"a,b', "", "x" * 300), random.randrange(1, 4))
    text = ",".join(f"{name}={random.choice(('sad', 'Happiness', 'contempt', ''))}" for name in names).encode()
    return {"classes": text if random.randrange(3) else damaged(random, text)}


def tree(random: Random) -> Input:
    """A folder of a few pictures under names that are classes, or nearly."""
    words = [*(word for some in CLASS_WORDS.values() for word in some), "contempt", "<b>happy<b>", ".git", "__MACOSX"]
    words += ["1", "7", "1", "train_happy", "sad/1/sad", "\udcfe", "x" * 200]
    splits = [word for some in SPLIT_WORDS.values() for word in some]
    found, wrap = classes(random), random.choice(("", "", "set/", "a/b/c/"))
    for number in range(random.randrange(1, 5)):
        order = random.choice(((splits, words), (words, splits), (words,), (splits, words, splits), (splits,)))
        place = "/".join(map(random.choice, order))
        ends = (f"{number}.png", f"{number}.JPG", f"<i>{number}.gif", "x" * 240 + ".png", ".png", "a.txt", "test_1.png")
        ends += ("\udcff.png",)
        name = random.choice(ends)
        found[f"{wrap}{place}/{name}"] = one_of("pictures")(random)["input"]
    return found


def zip_with_classes(random: Random) -> Input:
    return {**or_made("archives", zip_of_pictures)(random), **classes(random)}


def zip_of_pictures(random: Random) -> bytes:
    return grammar.archive(random, of_kind("pictures")["whole.png"])


def run_files(random: Random) -> Input:
    """A run directory with one to three of its files odd or damaged."""
    found = files.run_files()
    found["watch.png"] = cv2.imencode(".png", files.grays())[1].tobytes()
    for _ in range(random.randrange(1, 4)):
        name = random.choice(list(found))
        if name.endswith(".json") and random.randrange(3):
            found[name] = odd_json(random, files.run_files()[name])
        elif name.endswith(".jsonl") and random.randrange(3):
            lines = files.run_files()[name].splitlines()
            at = random.randrange(len(lines))
            lines[at] = odd_json(random, lines[at])
            found[name] = b"\n".join(lines) + b"\n"
        elif random.randrange(10):
            found[name] = damaged(random, found[name], random.choice(list(found.values())))
        else:
            del found[name]
    return found


def card_and_tensors(random: Random) -> Input:
    blob, card = files.checkpoint()
    found = {"a.safetensors": blob, "a.json": card}
    kind = random.randrange(8)
    if kind < 3:
        found["a.json"] = odd_json(random, card)
    elif kind == 3:
        found["a.json"] = damaged(random, card)
    elif kind == 4:
        found["a.safetensors"] = one_of("checkpoints")(random)["input"]
    elif kind == 5:
        found[".a.json.next"] = odd_json(random, card)
    else:
        found["a.safetensors"] = _odd_header(random, blob)
    return found


def graph(random: Random) -> Input:
    """An ONNX file that is damaged, or whose parts are swapped for others that still parse."""
    if not random.randrange(3):
        return {"a.onnx": one_of("graphs")(random)["input"]}
    model = onnx.load_from_string(files.graph())
    for _ in range(random.randrange(1, 4)):
        node, tensor = random.choice(model.graph.node), random.choice(model.graph.initializer)
        number = random.choice((0, 1, -1, 2, 3, 7, 64, 2**20, 2**31 - 1, 2**31, 2**62))
        kind = random.randrange(9)
        if kind == 0:
            node.op_type = random.choice((*sorted(OPERATORS), "Loop", "If", "ConstantOfShape", "Expand", "Tile", "\0"))
        elif kind == 1 and tensor.dims:
            tensor.dims[random.randrange(len(tensor.dims))] = number
        elif kind == 2:
            tensor.data_type = random.randrange(25)
        elif kind == 3 and node.attribute:
            attribute = random.choice(node.attribute)
            attribute.ints[:] = [number] * random.randrange(6)
        elif kind == 4 and node.input:
            names = [name for other in model.graph.node for name in (*other.input, *other.output)]
            node.input[random.randrange(len(node.input))] = random.choice(names)
        elif kind == 5:
            side = random.choice((*model.graph.input, *model.graph.output)).type.tensor_type
            if side.shape.dim:
                side.shape.dim[random.randrange(len(side.shape.dim))].dim_value = number
        elif kind == 6:
            model.opset_import[0].version = random.choice((1, 7, 11, 13, 17, 18, 21, 24, number))
        elif kind == 7:
            entry = random.choice(model.metadata_props)
            entry.value = odd_json(random, entry.value.encode()).decode() if random.randrange(3) else "{"
        else:
            tensor.raw_data = damaged(random, tensor.raw_data)
    return {"a.onnx": model.SerializeToString()}


def _odd_header(random: Random, blob: bytes) -> bytes:
    """The tensors under a header in which values, or whole tensors' kinds, are swapped."""
    end = 8 + int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:end])
    name = random.choice([name for name in header if name != "__metadata__"])
    header[name]["dtype"] = random.choice(("F32", "I32", "U32", "F16", "BF16", "F64", "C64", "F8_E4M3", "BOOL", "U64"))
    text = json.dumps(header).encode()
    if random.randrange(3):
        text = odd_json(random, text)
    return len(text).to_bytes(8, "little") + text + blob[end:]
