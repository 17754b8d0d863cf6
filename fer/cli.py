"""The command line: `python -m fer COMMAND`. Heavy imports wait until a command needs them."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tqdm import tqdm

from fer.errors import FerError
from fer.training.config import TrainConfig

DEFAULTS = TrainConfig()
Detector = Literal["auto", "yunet", "hog", "haar", "none"]


def predict(paths: tyro.conf.Positional[list[Path]], /, model: str = "mini_xception", detector: Detector = "auto",
            json: bool = False) -> int:  # noqa: A002  the flag is --json
    """Read the faces of photos or folders of photos; exit 1 where a file could not be read.

    Args:
        paths: Photos, or folders (searched with all that is below).
        model: A name in weights/, a run directory, or a .safetensors file.
        detector: auto takes YuNet where it can be had, else HOG; none takes each picture for one face.
        json: Print one JSON line a picture.
    """
    import fer
    from fer.vision.detection import load_detector
    from fer.vision.images import read_image

    recognizer, finder = fer.load(model), load_detector(detector)
    _say(f"model {recognizer.name}, detector {finder.name}")
    failed, pictures = 0, _pictures(paths)
    for path in tqdm(pictures, unit="photo", disable=len(pictures) < 3):
        row = {"path": str(path), "width": None, "height": None, "faces": [], "error": None}
        try:
            image_rgb = read_image(path)
            row["height"], row["width"] = image_rgb.shape[:2]
            row["faces"] = [face.to_json() for face in recognizer.predict(image_rgb, finder)]
        except FerError as error:
            row["error"] = {"type": type(error).__name__, "message": error.message}
            failed += 1
        tqdm.write(_dump(row) if json else _sentence(row), file=sys.stdout)
    if not pictures:
        raise FerError("There are no pictures in the folder. Expected png, jpg, webp, bmp or gif files.")
    return 1 if failed else 0


def evaluate(data: str, split: tuple[str, ...] = ("PublicTest",), model: str = "mini_xception",
             tta: Literal["none", "flip", "tencrop"] = "none",
             report: Path | None = None, json: bool = False) -> int:  # noqa: A002
    """Score a model: accuracy, F1, confusion matrix, calibration.

    Args:
        data: fer2013.csv, a folder <split>/<class>/*, or synthetic.
        split: One or several of Training, PublicTest, PrivateTest (or train, validation, test).
        model: A name in weights/, a run directory, or a .safetensors file.
        tta: Average the views of a face: none, flip (2) or tencrop (10).
        report: Also write a self-contained HTML report there.
        json: Print one JSON line a split.
    """
    import fer
    from fer.data.read import read_dataset
    from fer.evaluation.study import study

    recognizer = fer.load(model)
    dataset, studies = read_dataset(data), []
    for name in split:
        with tqdm(unit="face", desc=name, leave=False) as bar:
            def step(done: int, total: int, bar: tqdm = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            result = study(recognizer, dataset, name, tta, step)
        studies.append(result)
        values = result.report.to_json()
        print(_dump(values) if json else _table(values))
    if report is not None:
        from fer.evaluation.report import write_report

        write_report(report, studies)
        _say(f"report: {report}")
    return 0


def summary(name: tyro.conf.Positional[str], /, input_size: int = 44, json: bool = False) -> int:  # noqa: A002
    """Print a network's layers, parameters and sizes.

    Args:
        name: The architecture, such as mini_xception.
        input_size: Side of the grey face in pixels.
        json: Print one JSON document.
    """
    from fer.models.summary import summarise
    from fer.models.zoo import build

    if input_size < 8:
        raise FerError(f"The input size must be at least 8 pixels, got {input_size}.")
    table = summarise(build(name), input_size)
    print(_dump(table.to_json()) if json else table)
    return 0


def explain(image: tyro.conf.Positional[Path], /, out: Path, methods: tuple[str, ...] = (),
            classes: tuple[str, ...] = (), model: str = "mini_xception", layer: str | None = None,
            detector: Detector = "auto", face: int = 1, json: bool = False) -> int:  # noqa: A002
    """Explain one face: a PNG a map, maps.npz (float32, method/class) and explanation.json.

    Args:
        image: A photo.
        out: The folder to write to; made where it is missing.
        methods: Of grad_cam, guided_backprop, guided_grad_cam, gradient, integrated_gradients, occlusion; all by
            default.
        classes: Of the seven expressions; all by default.
        model: A name in weights/, a run directory, or a .safetensors file.
        layer: Of Grad-CAM: a layer's name or fused; the most faithful one by default.
        detector: none takes the picture for one face.
        face: Which face of the photo, the largest being 1.
        json: Print the numbers as one JSON document too.
    """
    import fer
    from fer.explain.face import check_choices
    from fer.explain.files import write_explanation
    from fer.explain.methods import METHODS
    from fer.expressions import NAMES
    from fer.vision.detection import load_detector
    from fer.vision.images import read_image

    recognizer, finder = fer.load(model), load_detector(detector)
    check_choices(recognizer, methods, classes, layer)
    image_rgb = read_image(image)
    faces = recognizer.predict(image_rgb, finder)
    if not faces:
        raise FerError(f"No face was found in {image.name}. Try another --detector, or --detector none for a close-up.")
    if not 1 <= face <= len(faces):
        raise FerError(f"There is no face {face} in {image.name}: {len(faces)} found.")
    with tqdm(total=1.0, desc="Explaining", leave=False, bar_format="{l_bar}{bar}") as bar:
        explanation = fer.explain(recognizer, image_rgb, faces[face - 1], methods or tuple(METHODS), classes or NAMES,
                                  layer, finder.name, progress=lambda share: bar.update(share - bar.n))
    written = write_explanation(explanation, out)
    if json:
        print(_dump(explanation.to_json()))
    else:
        expression = explanation.prediction.expression
        for method, words in explanation.words.items():
            print(f"{method}: {words.get(expression) or next(iter(words.values()))}")
        print(f"{len(written)} files in {out}")
    return 0


def benchmark(json: bool = False) -> int:  # noqa: A002
    """Time every stage on this machine, each against a plain way in the same run.

    Args:
        json: Print one JSON document.
    """
    from fer.benchmark import run

    results = run(progress=lambda name: _say(f"timing {name}"))
    print(_dump({"stages": results}) if json else "\n".join(
        f"{row['stage']:<58}{row['ms']:>9.1f} ms   {row['ratio']:>6.2f} x {row['against']}"
        + (f"   (aim {row['aim_ms']:.0f} ms)" if row.get("aim_ms") else "") for row in results))
    return 0


def train(config: Annotated[TrainConfig, tyro.conf.arg(name="")] = DEFAULTS, out: Path | None = None,
          resume: Path | None = None, search: int = 0, json: bool = False) -> int:  # noqa: A002
    """Train a model in a run directory; SIGINT or SIGTERM saves and ends it, --resume goes on.

    --config FILE.json gives the settings that no other flag names.

    Args:
        config: The settings of the run.
        out: The run's new directory; runs/<date>-<model> where none is given.
        resume: Go on with the run in this directory; its settings stay as they were.
        search: Try so many seeded settings (Optuna), each a run, and table them.
        json: Print one JSON line an epoch, of a search one line a run.
    """
    from fer.training.runs import RunDirectory
    from fer.training.shelf import free_id, runs_folder
    from fer.training.worker import train as train_run

    if search:
        from fer.training.search import run_search

        return run_search(config, search, out, json)
    if resume is not None:
        run = RunDirectory.open(resume)
    else:
        run = RunDirectory.create(out or runs_folder() / free_id(config.model), config)
    _say(f"run {run.path}")
    on_epoch = (lambda record: print(_dump(record.to_json()), flush=True)) if json else None
    state = train_run(run, on_epoch=on_epoch)
    status = run.status()
    if not json:
        best = f", best validation accuracy {status['best']:.2%} in epoch {status['best_epoch']}" \
            if status.get("best_epoch") else ""
        print(f"{run.id}: {state}{best}")
    return 0


def _config_file(arguments: list[str]) -> tuple[TrainConfig, list[str]]:
    """Take --config FILE out of the arguments, since it gives the defaults of all the others."""
    rest, path = [], None
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--config":
            path = next(waiting, None)
        elif argument.startswith("--config="):
            path = argument.partition("=")[2]
        else:
            rest.append(argument)
    if path is None and "--config" not in arguments:
        return DEFAULTS, rest
    if not path:
        raise FerError("--config needs a JSON file of settings.")
    return TrainConfig.read(Path(path)), rest


def _pictures(paths: list[Path]) -> list[Path]:
    from fer.vision.images import SUFFIXES

    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        else:
            found.append(path)
    return found


def _sentence(row: dict) -> str:
    if row["error"]:
        return f"{row['path']}: {row['error']['message']}"
    if not row["faces"]:
        return f"{row['path']}: no face found"
    words = []
    for face in row["faces"]:
        ranked = sorted(face["probabilities"].items(), key=lambda item: -item[1])
        best = f"{ranked[0][0]} {ranked[0][1]:.0%}"
        words.append(best if face["sure"] else
                     f"not sure: {face['quality']['reasons'][0]}" if face["quality"]["reasons"] else
                     f"not sure ({best}, {ranked[1][0]} {ranked[1][1]:.0%})")
    return f"{row['path']}: {'; '.join(words)}"


def _table(report: dict) -> str:
    fresh = report["accuracy_without_train_duplicates"]
    lines = [
        f"{report['model']} on {report['split']} (n = {report['n']}, tta {report['tta']})",
        f"accuracy {report['accuracy']:.2%}"
        + (f", without train duplicates {fresh:.2%}" if fresh is not None else "")
        + f"; macro-F1 {report['macro_f1']:.3f}",
        f"nll {report['nll']:.4f}, ECE {report['ece']:.4f}, Brier {report['brier']:.4f}", "",
        f"{'':>10}{'precision':>11}{'recall':>9}{'F1':>8}{'support':>9}"]
    lines += [f"{name:>10}{row['precision']:>11.3f}{row['recall']:>9.3f}{row['f1']:>8.3f}{row['support']:>9}"
              for name, row in report["per_class"].items()]
    lines += ["", "confusion matrix (rows: truth)"]
    lines += [f"{name:>10}" + "".join(f"{count:>7}" for count in row)
              for name, row in zip(report["per_class"], report["confusion_matrix"], strict=True)]
    return "\n".join(lines) + "\n"


def _dump(values: dict) -> str:
    return json.dumps(values, ensure_ascii=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _with_defaults(defaults: TrainConfig) -> Callable[..., int]:
    """The train command, its settings' defaults replaced: tyro shows and fills them in."""
    @functools.wraps(train)
    def command(**options: object) -> int:
        return train(**options)

    command.__signature__ = inspect.signature(train).replace(parameters=[
        parameter.replace(default=defaults) if name == "config" else parameter
        for name, parameter in inspect.signature(train).parameters.items()])
    return command


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a FerError is printed as a sentence and exits 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        defaults, arguments = _config_file(arguments) if arguments[:1] == ["train"] else (DEFAULTS, arguments)
        app = tyro.extras.SubcommandApp()
        for command in (predict, evaluate, _with_defaults(defaults), summary, explain, benchmark):
            app.command(command)
        return app.cli(args=arguments, prog="python -m fer")
    except FerError as error:
        _say(error.message)
        return 1
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        return 0
