"""The command line, `python -m fer COMMAND`. Heavy modules are imported only by the commands that need them."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tqdm import tqdm

from fer.errors import FerError, missing_part
from fer.models import DEFAULT_MODEL
from fer.training.config import CHOICES, TrainConfig
from fer.vision.registry import DETECTORS, FACE_FINDERS

DEFAULTS = TrainConfig()
PROGRESS_DELAY_S = 2.0  # a bar for what takes longer
TIDY_EVERY = 50  # photos: then give freed memory back to the system
if TYPE_CHECKING:
    from fer.data.pictures import Faces
    from fer.evaluation.evaluation import Evaluation
    from fer.models.card import Card

    Detector = str
    Finder = str
    Device = str
else:  # tyro lists and checks the registered names
    Detector, Finder, Faces = Literal[DETECTORS], Literal[FACE_FINDERS], Literal[CHOICES["faces"]]
    Device = Literal["auto", "cpu", "cuda", "rocm", "directml", "coreml"]


def predict(
    paths: tyro.conf.Positional[list[Path]],
    /,
    model: str = DEFAULT_MODEL,
    detector: Detector = "auto",
    stability: bool = False,
    json: bool = False,
) -> int:  # noqa: A002  the flag is --json
    """Read the expressions in photos; exits with 1 if a file could not be read.

    Args:
        paths: Photos, or folders to search with their subfolders.
        model: A shipped model, a run directory, or a .safetensors or .onnx file.
        detector: auto uses YuNet if available, otherwise HOG; none treats each picture as one face.
        stability: Also report, for each face, the share of slightly changed copies that keep its label.
        json: Print one line of JSON per photo.
    """
    import fer
    from fer.data.photo_files import PhotoFiles
    from fer.inference.photo import PhotoReading
    from fer.inference.stability import with_stability
    from fer.memory import return_freed_memory
    from fer.vision.detection import load_detector
    from fer.vision.images import FORMATS, read

    if not paths:
        raise FerError("Name a photo or a folder of photos, such as: python -m fer predict photo.jpg")
    recognizer, finder = fer.load(model), load_detector(detector)
    _say(f"model {recognizer.name}, detector {finder.name}")
    _warn_of_drawings(recognizer.name, recognizer.card)
    failed, photos, notes = 0, PhotoFiles(paths), Counter[str]()
    with tqdm(photos, unit="photo", delay=PROGRESS_DELAY_S) as bar:
        for path in bar:
            try:
                decoded = read(path)
                faces = recognizer.predict(decoded.rgb, finder)
                if stability:
                    faces = with_stability(recognizer, decoded.rgb, faces)
                reading = PhotoReading.of(str(path), decoded, faces)
            except FerError as error:
                reading = PhotoReading(str(path), error=error)
                failed += 1
            row = reading.to_json()
            tqdm.write(_dump(row) if json else _sentence(row), file=sys.stdout)
            for note in reading.notes:  # printed once here; the JSON row has them all
                notes[note] += 1
                if notes[note] == 1:
                    tqdm.write(f"{path}: {note}", file=sys.stderr)
            if photos.found % TIDY_EVERY == 0:
                return_freed_memory()
    for note, times in notes.items():
        if times > 1:
            _say(f"{times} photos: {note}")
    if words := photos.words():
        _say(words)
    if not photos.found:
        raise FerError(f"No pictures were found in the folder. Expected {FORMATS} files.")
    return 1 if failed else 0


def evaluate(
    data: str,
    split: tuple[str, ...] = ("PublicTest",),
    model: str = DEFAULT_MODEL,
    tta: Literal["none", "flip", "tencrop"] = "none",
    faces: Faces = "auto",
    classes: str = "",
    report: Path | None = None,
    json: bool = False,
) -> int:  # noqa: A002
    """Score a model: accuracy, F1, confusion matrix and calibration.

    Args:
        data: fer2013.csv, a folder or zip with a folder for each split and class, or synthetic.
        split: One or more of Training, PublicTest and PrivateTest (or train, validation and test).
        model: A shipped model, a run directory, or a .safetensors or .onnx file.
        tta: Average several views of each face: flip takes 2, tencrop 10.
        faces: How to read pictures: crop treats each as one face, detect finds the largest face, auto decides by size.
        classes: Expressions for folders or labels with other names, such as 1=surprise,2=fear.
        report: Also write a self-contained HTML report to this file.
        json: Print one line of JSON per split.
    """
    import fer
    from fer.data.read import read_dataset
    from fer.evaluation.evaluation import study

    if report is not None:  # before the work: it needs plotly
        from fer.evaluation.report import write_report
    recognizer = fer.load(model)
    _warn_of_drawings(recognizer.name, recognizer.card)
    dataset, studies = read_dataset(data, faces=faces, classes=classes), []
    for line in [*dataset.left_out(), *dataset.remarks]:
        _say(line)
    for name in split:
        with tqdm(unit="face", desc=name, leave=False) as bar:

            def step(done: int, total: int, bar: tqdm = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            result = study(recognizer, dataset, name, tta, step)
        studies.append(result)
        print(_dump(result.to_json()) if json else _table(result))
    if report is not None:
        write_report(report, studies)
        _say(f"report: {report}")
    return 0


def summary(name: tyro.conf.Positional[str], /, input_size: int = 44, json: bool = False) -> int:  # noqa: A002
    """List a network's layers, parameters and memory.

    Args:
        name: The architecture, such as mini_xception.
        input_size: Side of the gray face, in pixels.
        json: Print one JSON document.
    """
    from fer.models.registry import build
    from fer.models.summary import summarize

    if not 8 <= input_size <= 512:
        raise FerError(f"The input size must be 8 to 512 pixels, got {input_size}.")
    table = summarize(build(name), input_size)
    print(_dump(table.to_json()) if json else table)
    return 0


def explain(
    image: tyro.conf.Positional[Path],
    /,
    out: Path,
    methods: tuple[str, ...] = (),
    classes: tuple[str, ...] = (),
    model: str = DEFAULT_MODEL,
    layer: str | None = None,
    detector: Detector = "auto",
    face: int = 1,
    json: bool = False,
) -> int:  # noqa: A002
    """Explain one face: writes a PNG for each map, maps.npz (float32, method/class) and explanation.json.

    Args:
        image: A photo.
        out: The folder to write to; created if it does not exist.
        methods: Any of the methods, such as grad_cam or occlusion; all by default. A wrong name lists them.
        classes: Any of the seven expressions, each measured; by default all, with the predicted one measured.
        model: A shipped model, a run directory, or a .safetensors file.
        layer: The layer of Grad-CAM and its relatives, or fused; the most faithful one by default.
        detector: none treats the picture as one face.
        face: Which face of the photo; 1 is the largest.
        json: Print the numbers as one JSON document.
    """
    import fer
    from fer.explanation.explain import check_choices
    from fer.explanation.methods import METHODS
    from fer.vision.detection import load_detector
    from fer.vision.images import read_image
    from fer.visualization.explanation_files import write_explanation

    recognizer, finder = fer.load(model), load_detector(detector)
    _warn_of_drawings(recognizer.name, recognizer.card)
    check_choices(recognizer, methods, classes, layer)
    image_rgb = read_image(image)
    faces = recognizer.predict(image_rgb, finder)
    if not faces:
        raise FerError(f"No face was found in {image.name}. Try another --detector, or --detector none for a close-up.")
    if not 1 <= face <= len(faces):
        raise FerError(f"There is no face {face} in {image.name}. Choose a --face from 1 to {len(faces)}.")
    with tqdm(total=1.0, desc="Explaining", leave=False, bar_format="{l_bar}{bar}") as bar:

        def step(share: float) -> None:
            bar.update(share - bar.n)

        explanation = fer.explain(
            recognizer,
            image_rgb,
            faces[face - 1],
            methods or tuple(METHODS),
            classes or None,
            layer,
            progress=step,
        )
    written = write_explanation(explanation, out)
    if json:
        print(_dump(explanation.to_json()))
    else:
        expression = explanation.prediction.expression
        for method, words in explanation.words.items():
            shown = expression if expression in words else next(iter(words))
            print(f"{method}: {words[shown]} Tests: {explanation.judgments[method].get(shown, 'not run')}.")
        print(f"{len(written)} files in {out}; explanation.json has each test")
    return 0


def video(
    source: tyro.conf.Positional[Path],
    /,
    out: Path | None = None,
    csv: Path | None = None,
    model: str = DEFAULT_MODEL,
    detector: Finder = "auto",
    readings: float = 10.0,
    json: bool = False,
) -> int:  # noqa: A002
    """Read a video: writes it with the faces drawn on and its sound, and a table with a row for each face and reading.

    Give at least one of --out, --csv and --json.

    Args:
        source: A video: mp4, mov, webm, mkv or avi.
        out: The annotated video to write, as MP4.
        csv: The table to write, as CSV.
        model: A shipped model, a run directory, or a .safetensors or .onnx file.
        detector: auto uses YuNet if available, otherwise HOG.
        readings: How many times per second of video to read faces; every frame is drawn.
        json: Print all rows as one JSON document.
    """
    from dataclasses import replace

    import fer
    from fer.files import replace_file
    from fer.inference import recording
    from fer.inference.video import SOUND, read_video
    from fer.records import faces_csv
    from fer.vision.detection import load_detector
    from fer.visualization.overlay import draw_faces

    if not 0.1 <= readings <= 120:
        raise FerError(f"--readings must be 0.1 to 120 per second, got {readings:g}.")
    if out is None and csv is None and not json:
        raise FerError("Choose an output: --out OUT.mp4, --csv OUT.csv or --json.")
    if out is not None and out.resolve() == source.resolve():
        raise FerError("--out would overwrite the video. Choose another name.")
    if csv is not None and csv.resolve() in (source.resolve(), out and out.resolve()):
        raise FerError("--csv would overwrite the video or --out. Choose another name.")
    recognizer, finder = fer.load(model), load_detector(detector)
    _say(f"model {recognizer.name}, detector {finder.name}")
    _warn_of_drawings(recognizer.name, recognizer.card)
    with tqdm(total=100, desc=source.name, bar_format="{l_bar}{bar}| {n:.0f}% [{elapsed}<{remaining}]") as bar:
        video = read_video(
            source,
            out,
            recognizer,
            finder,
            draw_faces,
            readings,
            lambda progress: not bar.update(100 * progress.done - bar.n) or True,
        )
    if csv is not None:
        try:
            replace_file(csv, faces_csv(replace(row, input=str(source)) for row in video.rows))
        except OSError as error:
            raise FerError(f"{csv.name} cannot be written: {error.strerror}. Choose another --csv.") from None
    for note in video.notes:
        _say(note)
    if json:
        print(
            recording.to_json(
                video.rows,
                path=str(source),
                width=video.info.width,
                height=video.info.height,
                frames=video.frames,
                readings=video.read,
                sound=video.sound,
                notes=list(video.notes),
            )
        )
    else:
        people = len({row.person for row in video.rows})
        told = ", ".join(
            f"{name} {share:.0%}" for name, share in recording.shares(video.rows).items() if share >= 0.005
        )
        print(
            f"{out or csv}: {video.frames} frames, {video.read} read, {people} {'person' if people == 1 else 'people'}"
            + (f": {told}" if told else "")
            + (f"; {SOUND[video.sound]}" if video.sound else "")
        )
    return 0


def batch(
    inputs: tyro.conf.Positional[list[Path]],
    /,
    out: Path,
    workers: int | None = None,
    ray: str = "",
    model: str = DEFAULT_MODEL,
    detector: Detector = "auto",
    device: Device = "auto",
    readings: float = 10.0,
    stability: bool = False,
    json: bool = False,
) -> int:  # noqa: A002
    """Read many photos and videos into one table; run it again to continue where it stopped.

    Writes readings.csv (a row for each face), errors.csv and summary.json; exits with 1 if an input failed.

    Args:
        inputs: Photos, videos, or folders of both to search with their subfolders.
        out: The folder to write to; created if it does not exist.
        workers: How many processes of one thread each, or actors on Ray; by default one for each core.
        ray: Use Ray: local starts it on this machine, an address joins a cluster.
        model: A shipped model, a run directory, or a .safetensors or .onnx file.
        detector: auto uses YuNet if available, otherwise HOG; none treats each picture as one face.
        device: Where the network runs; auto uses a GPU if ONNX Runtime has a provider for it.
        readings: How many times per second of video to read faces.
        stability: Also report, for each face of a photo, the share of slightly changed copies that keep its label.
        json: Print the summary as one JSON document.
    """
    from fer.batch.inputs import find_inputs
    from fer.batch.reading import Reading, settings_for
    from fer.batch.run import ERRORS, READINGS, run_batch
    from fer.models.graph import card_of

    if not inputs:
        raise FerError("Name photos, videos or folders, such as: fer batch photos/ --out results")
    if not 0.1 <= readings <= 120:
        raise FerError(f"--readings must be 0.1 to 120 per second, got {readings:g}.")
    if workers is not None and not 1 <= workers <= 4096:
        raise FerError(f"--workers must be 1 to 4096, got {workers}.")
    found, skipped = find_inputs(inputs)
    if skipped:
        _say(skipped)
    if not found:
        raise FerError("No photos or videos were found in the folder. Name another one.")
    settings = settings_for(model, detector, device, readings, stability)
    _say(f"model {Path(model).name}, detector {settings.detector}, {len(found)} inputs")
    _warn_of_drawings(Path(model).name, card_of(model))
    form = "{l_bar}{bar}| {n:.1f}/{total} [{elapsed}<{remaining}]"
    with tqdm(total=len(found), unit="input", bar_format=form, disable=None, smoothing=0.05) as bar:

        def start(todo: int, done: int) -> None:
            if done:
                tqdm.write(f"{done} of {done + todo} inputs were already read.", file=sys.stderr)
            bar.reset(todo)

        def tell(reading: Reading) -> None:
            for sentence in [reading.error, *reading.notes]:
                if sentence:
                    tqdm.write(f"{reading.input}: {sentence}", file=sys.stderr)

        def step(done: float) -> None:
            bar.update(done - bar.n)

        outcome = run_batch(found, out, settings, workers, ray, start, step, tell)
    summary = outcome.summary
    if json:
        print(_dump(summary))
    else:
        failed = f"; {len(outcome.errors)} failed, see {out / ERRORS}" if outcome.errors else ""
        done = len(found) - len(outcome.errors) - outcome.left
        print(f"{out / READINGS}: {summary['faces']} faces in {done} inputs{failed}")
    if outcome.left:
        _say(f"Stopped with {outcome.left} of {len(found)} inputs left. Run the same command again to continue.")
        return 130
    return 1 if outcome.errors else 0


def export(
    model: tyro.conf.Positional[str],
    /,
    out: Path,
    format: Literal["onnx"] = "onnx",  # noqa: A002
    int8: bool = False,
    data: str = "",
    json: bool = False,
) -> int:  # noqa: A002
    """Export a model to ONNX and check it against PyTorch face by face.

    Args:
        model: A shipped model, a run directory, or a .safetensors file.
        out: The file to write.
        format: The file format.
        int8: Quantize to 8 bits, calibrated on the data's Training part.
        data: What to check and calibrate on; by default fer2013.csv if it is in this folder, otherwise synthetic faces.
        json: Print one JSON document.
    """
    from dataclasses import asdict

    from fer.data.read import SYNTHETIC, read_dataset
    from fer.tools.export import export as write

    data = data or ("fer2013.csv" if Path("fer2013.csv").is_file() else SYNTHETIC)
    if data == SYNTHETIC:
        _say(
            "Checked on synthetic faces. Use --data fer2013.csv to check"
            + (" and calibrate" if int8 else "")
            + " on real ones."
        )
    found = write(model, out, read_dataset(data), int8)
    loss = 100 * (found.torch_accuracy - found.accuracy)
    print(
        _dump({"out": str(out), **asdict(found)})
        if json
        else f"{out}: {found.file_bytes / 2**20:.2f} MB. On {found.faces} faces of {Path(data).name} its logits differ "
        f"from PyTorch's by at most {found.difference:.2g} and {found.agreement:.2%} of the labels agree; accuracy "
        f"{found.accuracy:.2%}, PyTorch {found.torch_accuracy:.2%} (a loss of {loss:.2f} points)"
    )
    return 0


def benchmark(json: bool = False) -> int:  # noqa: A002
    """Time every stage on this machine, each against a plain implementation in the same run.

    Args:
        json: Print one JSON document.
    """
    from fer.tools.benchmark import run
    from fer.tools.inference_benchmark import sizes
    from fer.tools.timing import line

    models = sizes()
    results = run(progress=lambda name: _say(f"timing {name}"))
    if json:
        print(_dump({"models": models, "stages": results}))
        return 0
    for row in models:
        print(
            f"{row['model']}: {row['parameters']:,} parameters ({row['folded_parameters']:,} folded), "
            f"{row['multiply_adds'] / 1e6:.1f} M multiply-adds per face, {row['file_bytes'] / 2**20:.2f} MB"
        )
    print("\n".join(map(line, results)))
    return 0


def app(port: int = 8501, host: str = "localhost") -> int:
    """Open the app in the browser; Ctrl-C ends it.

    Args:
        port: The port to listen on.
        host: The address to listen on; 0.0.0.0 lets other machines in.
    """
    from fer.locations import app_folder, make_folders_absolute

    for module in ("streamlit", "streamlit_webrtc", "plotly"):
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(name=module)
    make_folders_absolute(os.environ)
    os.chdir(app_folder())  # Streamlit reads .streamlit/config.toml from the working directory
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "streamlit_app.py",
        f"--server.port={port}",
        f"--server.address={host}",
    ]
    os.execv(sys.executable, command)


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    model: str = DEFAULT_MODEL,
    detector: Detector = "auto",
    device: Device = "auto",
    hosts: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
) -> int:
    """Serve predictions over HTTP and WebSocket; /docs is interactive, Ctrl-C ends it.

    If FER_TOKEN is set, clients must send that token. Limits are those of the shared demo unless FER_HOSTED=0.

    Args:
        host: The address to listen on; 0.0.0.0 lets other machines in.
        port: The port to listen on.
        model: A shipped model, a run directory, or a .safetensors or .onnx file.
        detector: auto uses YuNet if available, otherwise HOG; none treats each picture as one face.
        device: Where the network runs; auto uses a GPU if ONNX Runtime has a provider for it.
        hosts: Names by which clients may address this machine, besides localhost.
        origins: Web origins whose pages may call the service, such as https://example.org; all others are refused.
    """
    os.environ.setdefault("FER_HOSTED", "1")  # before anything is logged: it hides error messages
    from fer.limits import limits
    from fer.models.graph import card_of
    from fer.service.application import ServiceConfig
    from fer.service.server import serve as run

    if not 0 < port < 65536:
        raise FerError(f"--port must be 1 to 65535, got {port}.")
    local, token = host in ("127.0.0.1", "::1", "localhost"), os.environ.get("FER_TOKEN", "")
    if not local and not token:
        _say("FER_TOKEN is not set: anyone who can reach this address can use the service.")
    own = () if local or host in ("0.0.0.0", "::") else (host,)
    config = ServiceConfig(model, detector, device, (*own, *hosts), origins, token, limits())
    _warn_of_drawings(Path(model).name, card_of(model))
    _say(f"model {Path(model).name}; see http://{f'[{host}]' if ':' in host else host}:{port}/docs")
    run(config, host, port)
    return 0


def train(
    config: Annotated[TrainConfig, tyro.conf.arg(name="")] = DEFAULTS,
    out: Path | None = None,
    resume: Path | None = None,
    search: int = 0,
    json: bool = False,
) -> int:  # noqa: A002
    """Train a model in a run directory. Ctrl-C (SIGINT or SIGTERM) saves and stops; --resume continues.

    --config FILE.json reads settings from a file; options override it.

    Args:
        config: The settings of the run.
        out: The run's new directory; by default DATE-MODEL in the folder of training runs (FER_RUNS).
        resume: Continue the run in this directory, with the settings it was started with.
        search: Try this many settings with Optuna, each in a run of its own, and compare them.
        json: Print one line of JSON per epoch, or per run of a search.
    """
    from fer.locations import runs_folder
    from fer.training.run_directory import RunDirectory
    from fer.training.run_store import free_id
    from fer.training.worker import train as train_run

    if search:
        from fer.training.search import run_search

        return run_search(config, search, out, json)
    if importlib.util.find_spec("torch") is None:  # before a run directory is created
        raise ModuleNotFoundError(name="torch")
    if resume is not None:
        run = RunDirectory.open(resume)
    else:
        run = RunDirectory.create(out or runs_folder() / free_id(config.model), config)
    _say(f"run {run.path}")
    on_epoch = (lambda record: print(_dump(record.to_json()), flush=True)) if json else None
    state = train_run(run, on_epoch=on_epoch)
    status = run.status()
    if not json:
        best = (
            f", best validation accuracy {status['best']:.2%} in epoch {status['best_epoch']}"
            if status.get("best_epoch")
            else ""
        )
        print(f"{run.id}: {state}{best}")
    return 0


def _config_file(arguments: list[str]) -> tuple[TrainConfig, list[str]]:
    """Take --config FILE out of the arguments, since it sets the defaults of all the others."""
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
        raise FerError("--config needs a JSON file with settings, such as: --config recipe.json")
    return TrainConfig.read(Path(path)), rest


def _sentence(row: dict[str, Any]) -> str:
    if row["error"]:
        return f"{row['path']}: {row['error']['message']}"
    if not row["faces"]:
        return f"{row['path']}: no face found"
    from fer.inference.stability import stability_words
    from fer.records import set_words

    words = []
    for number, face in enumerate(row["faces"], 1):
        told, best = face["answer"], f"{face['expression']} {face['confidence']:.0%}"
        if face["sure"]:
            told = best
        elif reasons := face["quality"]["reasons"]:
            told += f": {reasons[0]}"
        else:
            told += f" ({set_words(face['set']) or best})"
        if "stability" in face:
            told += f" ({stability_words(face['stability'], face['expression']).rstrip('.').lower()})"
        if len(row["faces"]) > 1:
            left, top, *_ = face["box"]
            told = f"face {number} at {round(left)}, {round(top)}: {told}"
        words.append(told)
    turned = f" (turned by {row['rotation']}°)" if row["rotation"] else ""
    return f"{row['path']}{turned}: {'; '.join(words)}"


def _table(item: Evaluation) -> str:
    from fer.evaluation.tables import score_text, sets_sentence

    report = item.report
    fresh = report.accuracy_without_train_duplicates
    lines = [
        f"{report.model} on {report.split} (n = {report.n}, tta {report.tta})",
        f"accuracy {report.accuracy:.2%}"
        + (f", without training duplicates {fresh:.2%}" if fresh is not None else "")
        + f"; macro-F1 {report.macro_f1:.3f}",
        f"nll {report.nll:.4f}, ECE {report.ece:.4f}, Brier {report.brier:.4f}",
        *filter(None, [report.absent_words()]),
        "",
        f"{'':>10}{'precision':>11}{'recall':>9}{'F1':>8}{'support':>9}",
    ]
    for name, row in report.per_class.items():
        precision, recall, f1 = (score_text(row[key]) for key in ("precision", "recall", "f1"))
        lines.append(f"{name:>10}{precision:>11}{recall:>9}{f1:>8}{row['support']:>9}")
    lines += ["", "confusion matrix (rows: truth)"]
    lines += [
        f"{name:>10}" + "".join(f"{count:>7}" for count in row)
        for name, row in zip(report.per_class, report.confusion_matrix, strict=True)
    ]
    if sets := item.set_coverage():
        lines += ["", sets_sentence(sets)]
    return "\n".join(lines) + "\n"


def _dump(values: object) -> str:
    return json.dumps(values, ensure_ascii=False)


def _warn_of_namesake() -> None:
    """Warn about PyPI's unrelated package `fer`, which installs its files over ours."""
    from fer.locations import PACKAGE

    if any(PACKAGE.parent.glob("fer-[0-9]*.dist-info")):
        _say(
            "Another package, fer, has overwritten parts of FER Studio. Uninstall it and reinstall FER Studio: "
            "pip uninstall fer && pip install --force-reinstall fer-studio"
        )


def _warn_of_drawings(name: str, card: Card) -> None:
    """Warn, in every command that reads photos, of a model that knows only drawings."""
    from fer.models.card import DRAWINGS

    if card.from_drawings:
        _say(f"The model {name} {DRAWINGS}.")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _with_defaults(defaults: TrainConfig) -> Callable[..., int]:
    """The train command with these default settings, which tyro shows and fills in."""

    @functools.wraps(train)
    def command(**options: Any) -> int:
        return train(**options)

    signature = inspect.signature(train)
    parameters = [
        parameter.replace(default=defaults) if name == "config" else parameter
        for name, parameter in signature.parameters.items()
    ]
    vars(command)["__signature__"] = signature.replace(parameters=parameters)
    return command


COMMANDS: tuple[Callable[..., int], ...] = (
    predict,
    evaluate,
    train,
    summary,
    explain,
    video,
    batch,
    export,
    serve,
    benchmark,
    app,
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. A FerError is printed as a sentence and returns 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):  # file names may not be valid UTF-8; JSON prints such bytes as \udcff
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _warn_of_namesake()
    try:
        if arguments[:1] == ["tools"]:
            from fer.tools.__main__ import main as run_tool

            return run_tool(arguments[1:])
        defaults, arguments = _config_file(arguments) if arguments[:1] == ["train"] else (DEFAULTS, arguments)
        commands = tyro.extras.SubcommandApp()
        for command in COMMANDS:
            commands.command(_with_defaults(defaults) if command is train else command)
        code = commands.cli(args=arguments, prog="fer")
        sys.stdout.flush()
        return code
    except FerError as error:
        _say(error.message)
        return 1
    except ModuleNotFoundError as error:
        if (sentence := missing_part(error)) is None:
            raise
        _say(sentence)
        return 1
    except KeyboardInterrupt:
        _say("Interrupted.")
        return 130
    except BrokenPipeError:  # the reader of the pipe, such as head, has quit
        with open(os.devnull, "w") as nowhere:  # or Python would report it again when it flushes at exit
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 0
