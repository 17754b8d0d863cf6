"""Evaluate: how good a model is, where it fails, and for whom."""

from __future__ import annotations

from functools import partial

import streamlit as st

from fer.app import evaluate_input, resources, shell, state

detector_line = shell.open_page("Evaluate")
st.title("Evaluate")
st.markdown("How good is this model, where does it fail, and for whom?")

SECTIONS = ("Overview", "Confusion", "Calibration", "Curves", "Errors", "People", "Stress", "Groups", "Another model")

with shell.guarded():
    chosen = evaluate_input.choose()
    if chosen is None:  # the card needs no PyTorch
        from fer.app import evaluate_overview

        evaluate_overview.show_card(resources.card(state.model()))
    else:
        choice, dataset = chosen
        item = evaluate_input.evaluated(state.model(), choice, dataset)
        from fer.app import evaluate_faces, evaluate_more, evaluate_overview
        from fer.display import evaluation_figures as charts
        from fer.display.figures import CONFIG
        from fer.evaluation.details import precision_recall_curves, roc_curves

        st.header(f"{shell.plain(shell.model_label(state.model()))} on {len(item.part):,} faces")
        section = st.segmented_control("Part of the report", SECTIONS, default="Overview", required=True,
                                       key="evaluate_section", label_visibility="collapsed", wrap=True)
        if section == "Overview":
            evaluate_overview.overview(item, evaluate_input.judged_splits(dataset),
                                       partial(evaluate_input.by_split, state.model(), choice, dataset),
                                       evaluate_more.points_of(state.model(), choice))
        elif section == "Confusion":
            if cell := evaluate_overview.confusion(item):
                evaluate_faces.cell(item, cell)
        elif section == "Calibration":
            evaluate_overview.calibration(item)
        elif section == "Curves":
            for title, curves, axes in (
                    ("Precision and recall", precision_recall_curves, ("recall", "precision")),
                    ("ROC: recall against false alarms", roc_curves, ("false positives", "recall"))):
                st.markdown(f"**{title}**, each class against the rest, with the area below")
                figure = charts.class_curves(curves(item.probabilities, item.labels), *axes)
                st.plotly_chart(figure, config=CONFIG, key=f"curve_{title}", alt=title)
        elif section == "Errors":
            evaluate_faces.errors(item)
        elif section == "People":
            evaluate_faces.people(item)
        elif section == "Stress":
            evaluate_more.stress(item, choice)
        elif section == "Groups":
            evaluate_more.groups(item)
        else:
            evaluate_more.other_model(item, choice, dataset)
shell.close_page(detector_line)
