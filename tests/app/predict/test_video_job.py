"""A video that is read in a thread of its own."""

from __future__ import annotations

import fer
from fer.app.model_choice import ShippedModel
from fer.app.predict import video_job
from fer.vision.detection import load_detector
from tests.app.helpers import make_video
from tests.waiting import wait_for


def test_a_video_of_a_visitor_who_left_ends(tmp_path):
    job = video_job.VideoJob(("key",), "video.mp4", ShippedModel("compact"))
    job.start(make_video(tmp_path), fer.load(), load_detector("hog"), 10, wanted=lambda: False)
    assert wait_for(lambda: job.finished, 20) and (job.result is None or job.result.cancelled)
