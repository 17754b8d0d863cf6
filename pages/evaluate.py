"""Evaluate: how good a model is, where it fails, and for whom."""

from __future__ import annotations

from functools import partial

import streamlit as st

from fer.app import errors, layout, session, widgets
from fer.app.evaluate import inputs
from fer.app.markdown import plain
from fer.data.read import SYNTHETIC
from fer.wording import count_of

detector_line = layout.open_page("Evaluate")
st.title("Evaluate")
st.markdown("How good is this model, where does it fail, and for whom?")

SECTIONS = (
    "Overview",
    "Confusion",
    "Calibration",
    "Prediction sets",
    "Curves",
    "Errors",
    "People",
    "Stress",
    "Groups",
    "Another model",
)

with errors.guarded():
    chosen = inputs.choose()
    if chosen is None:
        from fer.app.evaluate import overview

        overview.show_card(session.model())
    else:
        choice, dataset = chosen
        layout.match_banner(on_drawings=choice.data == SYNTHETIC)
        item = inputs.evaluated(session.model(), choice, dataset)
        from fer.app.evaluate import comparisons, face_gallery, overview, sets
        from fer.evaluation.curves import precision_recall_curves, roc_curves
        from fer.visualization import evaluation_figures as charts

        st.header(f"{plain(session.model().label)} on {count_of(len(item.part), 'face')}")
        inputs.show_left_out(item, dataset)
        section = st.segmented_control(
            "Part of the report",
            SECTIONS,
            default="Overview",
            required=True,
            key="evaluate_section",
            persist_state="session",
            label_visibility="collapsed",
            wrap=True,
        )
        if section == "Overview":
            overview.overview(
                item,
                inputs.judged_splits(dataset),
                partial(inputs.by_split, session.model(), choice, dataset),
                comparisons.whole_points_of(session.model(), choice),
            )
        elif section == "Confusion":
            if cell := overview.confusion(item):
                face_gallery.cell(item, choice, cell)
        elif section == "Calibration":
            overview.calibration(item)
        elif section == "Prediction sets":
            sets.show(item)
        elif section == "Curves":
            for title, curves, axes in (
                ("Precision and recall", precision_recall_curves, ("recall", "precision")),
                ("ROC", roc_curves, ("false positives", "recall")),
            ):
                st.markdown(f"**{title}** of each class against the rest. The numbers are the areas under the curves.")
                figure = charts.class_curves(curves(item.probabilities, item.labels), *axes)
                widgets.chart(figure, f"curve_{title}", title)
        elif section == "Errors":
            face_gallery.errors(item, choice)
        elif section == "People":
            face_gallery.people(item, choice)
        elif section == "Stress":
            comparisons.stress(item, choice)
        elif section == "Groups":
            comparisons.groups(item)
        else:
            comparisons.other_model(item, choice, dataset)
layout.close_page(detector_line)
