"""Choose what to evaluate (data set, split, averaged views), and run the evaluation with progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app import data_choice, layout, resources, session, work_queue
from fer.app.evaluate import state
from fer.app.markdown import plain
from fer.app.model_choice import Model, ShippedModel
from fer.data import uploads
from fer.data.dataset import ALL, Dataset
from fer.data.labels import SPLITS
from fer.data.report import split_label
from fer.inference.recognizer import Recognizer
from fer.limits import limits
from fer.preprocessing import TTA, TTA_WORDS
from fer.wording import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.metrics import Report

PAGE = "evaluate"  # its choice of data
PUBLISHED, TRAINED = "Published results", "Results from training"


@dataclass(frozen=True)
class Choice:
    """data, classes: as on the command line, or an upload's digest. stamp: the data's version. split: FER2013's name
    or All.
    """

    data: str
    classes: str
    stamp: str
    split: str
    tta: str
    uploaded: bool = False


def choose() -> tuple[Choice, Dataset] | None:
    """Data, split and views, or None while no data is chosen."""
    own = PUBLISHED if isinstance(session.model(), ShippedModel) else TRAINED
    data = data_choice.choose_data(PAGE, own, in_address=True, on_remove=state.forget_data)
    if data is None:
        return None
    upload = None if isinstance(data, str) else data
    if upload is not None:
        st.caption("Read in memory, never stored, and forgotten when you leave.")
    name = data_choice.digest_of(PAGE, upload) if upload is not None else str(data)
    classes = data_choice.chosen_classes(name)
    with data_choice.asking_for_classes(name) as place:
        if upload is None:
            dataset, stamp = resources.dataset(name, classes), resources.data_stamp(name)
        else:
            dataset, stamp = _uploaded(upload, name, classes), name
            data_choice.note_faces(PAGE, name, len(dataset))
        data_choice.ask_for_classes(place, name, dict(dataset.unknown), dict(dataset.assumed))
    show_reading(dataset)
    split, tta = _split_and_views(name, dataset)
    return Choice(name, classes, stamp, split, tta, upload is not None), dataset


def _split_and_views(name: str, dataset: Dataset) -> tuple[str, str]:
    splits = [split for split in SPLITS if (dataset.usage == split).any()]
    splits = [*splits, ALL] if len(splits) > 1 else splits
    shipped = isinstance(session.model(), ShippedModel)
    # A shipped model never saw data of the visitor's own, which comes without splits: all of it may be judged.
    unseen = dataset.split_made and "PrivateTest" not in splits and shipped
    preferred = ALL if unseen else "PublicTest" if "PublicTest" in splits else splits[-1]
    split_key, tta_key = f"evaluate_split_{data_choice.short(name)}", "evaluate_tta"
    split, tta = session.widget(split_key, str) or preferred, session.widget(tta_key, str) or TTA[0]
    words = f"{split_label(split if split in splits else preferred, name)}, {TTA_WORDS[tta]}"
    with st.popover(words, icon=":material/tune:"):  # one line: on a phone the answer follows
        split = st.selectbox(
            "Split",
            splits,
            splits.index(preferred),
            format_func=lambda one: split_label(one, name),
            key=split_key,
            persist_state="session",
        )
        tta = st.selectbox(
            "Views of each face",
            TTA,
            format_func=lambda views: TTA_WORDS[views],
            key=tta_key,
            persist_state="session",
            help="Averages the answers for several crops of each face: a little more accurate, and slower.",
        )
    # A run held the same faces out when it was trained; a shipped model may have learned them.
    taken_from_training = dataset.split_made and shipped and split == "PublicTest"
    if not unseen and (split in ("Training", ALL) or taken_from_training):
        st.warning("The model may have been trained on some of these pictures, so results may look too good.")
    return split, tta


def _uploaded(upload: UploadedFile, digest: str, classes: str) -> Dataset:
    """An upload's faces, read once per session for the same classes."""
    key, datasets = (digest, classes), state.uploaded_datasets.get()
    if key not in datasets:
        datasets[key] = _read(upload, classes)
    return datasets[key]


def _read(upload: UploadedFile, classes: str) -> Dataset:
    """Raises DatasetError."""
    return data_choice.read_in_turns(lambda step: uploads.read_upload(upload, upload.name, limits(), step, classes))


def show_reading(dataset: Dataset) -> None:
    """List and count the files that were skipped."""
    for words, files in (
        ("no face found", dataset.faceless),
        ("could not be read", dataset.unreadable),
        ("not in a class folder", dataset.unplaced),
        ("not in a picture format", dataset.others),
    ):
        if files:
            with st.expander(f"{count_of(len(files), 'file')} skipped: {words}"):
                st.markdown("\n".join(f"- {plain(name)}" for name in files[:200]))
    for remark in (*dataset.unknown_words(), *dataset.remarks):
        st.caption(plain(remark))


def show_left_out(item: Evaluation, dataset: Dataset) -> None:
    """Count the faces for which the model gave no answer."""
    for remark in item.part.remarks:
        if remark not in dataset.remarks:
            st.caption(plain(remark))


def evaluated(model: Model, choice: Choice, dataset: Dataset) -> Evaluation:
    """The evaluation of a model; computed once for the same model, card, data and settings."""
    recognizer = resources.recognizer(model)
    key = (model.key, str(recognizer.card.to_json()), choice)
    evaluations = state.evaluations.get()
    if key not in evaluations:
        place = st.empty()
        with place, layout.loading("PyTorch"):
            from fer.evaluation.evaluation import study

        def step(done: int, total: int) -> None:
            place.progress(done / total, f"{done:,} of {count_of(total, 'face')}")

        with work_queue.in_turns() as next_turn:
            evaluations[key] = study(taking_turns(recognizer, next_turn), dataset, choice.split, choice.tta, step)
        place.empty()
    evaluations.move_to_end(key)
    return evaluations[key]


def taking_turns(recognizer: Recognizer, next_turn: Callable[[], None]) -> Recognizer:
    """Wraps a recognizer for work_queue.in_turns: each batch of faces waits for its turn."""

    def engine(batch: NDArray[np.floating]) -> NDArray[np.float32]:
        next_turn()
        return recognizer.engine(batch)

    return Recognizer(recognizer.name, engine, recognizer.card, recognizer.weights)


def judged_splits(dataset: Dataset) -> list[str]:
    """Validation and test, if the data has them with labels."""
    return [split for split in SPLITS[1:] if (dataset.labels[dataset.usage == split] >= 0).any()]


def by_split(model: Model, choice: Choice, dataset: Dataset) -> dict[str, Report]:
    """The reports of the validation and test splits, whichever was chosen."""
    return {split: evaluated(model, replace(choice, split=split), dataset).report for split in judged_splits(dataset)}
