"""Detections: declared classes and fields, one track per finding, and every corner inside the image in LPS."""

import pytest

from host.cases.geometry import Grid
from host.content.detections import check_detections
from host.errors import OutputContradictionError, OutputLabelsError, OutputMalformedError, OutputRangeError
from tests.support.output_ports import document, output_port

# 100 x 120 x 50 voxels of 1 x 1 x 2 mm; in RAS from (9.5, -200.5, -51) to (109.5, -80.5, 49).
GRID = Grid(
    (100, 120, 50),
    ((1.0, 0.0, 0.0, 10.0), (0.0, 1.0, 0.0, -200.0), (0.0, 0.0, 2.0, -50.0), (0.0, 0.0, 0.0, 1.0)),
)
RAS = (60.0, -140.0, 0.0)
INSIDE = [-60.0, 140.0, 0.0]  # the same place in LPS


def check(*findings, port=None, frame="LPS", within=GRID):
    data = document("detections", frame=frame, detections=list(findings))
    return check_detections(port or output_port("detections"), data, within)


def point(where=INSIDE, **changes):
    return {"label": "lesion", "point": list(where), "score": 0.9, **changes}


def test_sound_findings_are_read_and_none_is_an_answer_too():
    assert len(check(point(), point()).detections) == 2
    assert check().detections == ()


VIOLATIONS = {
    "an undeclared class": (point(label="cyst"), OutputLabelsError, "is a 'cyst'"),
    "a box where points are declared": (
        {"label": "lesion", "box": [INSIDE, INSIDE], "score": 0.9},
        OutputMalformedError,
        "lacks a point",
    ),
    "no score": ({"label": "lesion", "point": INSIDE}, OutputMalformedError, "lacks a score"),
    "a score above 1": (point(score=1.5), OutputMalformedError, "detections.1.score"),
    "a track where none is declared": (point(track_id="a"), OutputMalformedError, "has a track_id"),
    "a place outside the image": (
        point([0.0, 140.0, 0.0]),
        OutputRangeError,
        "(0, 140, 0) mm LPS lies outside",
    ),
    "RAS numbers": (point(RAS), OutputContradictionError, "inside it if the numbers are RAS"),
    "an infinite place": (point([1e999, 0.0, 0.0]), OutputMalformedError, "point"),
    "a place beyond all numbers": (point([1e308, -1e308, 1e308]), OutputRangeError, "lies outside"),
    "a word for a number": (point(["1", 0.0, 0.0]), OutputMalformedError, "point"),
    "point and box": (point(box=[INSIDE, INSIDE]), OutputMalformedError, "either a point or a box"),
    "neither": ({"label": "lesion", "score": 0.9}, OutputMalformedError, "either a point or a box"),
    "an unknown field": (point(volume=3.0), OutputMalformedError, "unknown field"),
}


@pytest.mark.parametrize("fault", VIOLATIONS)
def test_a_finding_that_does_not_hold_is_refused(fault):
    finding, error, said = VIOLATIONS[fault]
    with pytest.raises(error, match="^port answer: ") as caught:
        check(point(), finding)
    assert said in caught.value.message


def test_the_frame_is_written_out_and_is_lps():
    with pytest.raises(OutputMalformedError, match="frame"):
        check(point(), frame="RAS")


def test_a_finding_on_the_outer_face_of_the_last_voxel_is_inside():
    face = (-109.5, 80.5, 49.0)
    assert check(point(face))
    with pytest.raises(OutputRangeError):
        check(point((-109.6, 80.5, 49.0)))


def test_both_corners_of_a_box_lie_inside():
    port = output_port("detections", shape="box")
    low, high = [-70.0, 130.0, -10.0], [-60.0, 140.0, 10.0]
    assert check({"label": "lesion", "box": [low, high], "score": 0.1}, port=port)
    with pytest.raises(OutputRangeError, match="lies outside scan"):
        check({"label": "lesion", "box": [low, [0.0, 140.0, 10.0]], "score": 0.1}, port=port)
    with pytest.raises(OutputMalformedError, match="the lower coordinates"):
        check({"label": "lesion", "box": [high, low], "score": 0.1}, port=port)


def test_a_mix_up_that_the_image_cannot_show_is_not_claimed_to_be_one():
    """Where the image lies evenly around the origin, RAS and LPS are both inside: nothing can be said."""
    around = Grid(
        (100, 100, 100),
        ((1.0, 0.0, 0.0, -49.5), (0.0, 1.0, 0.0, -49.5), (0.0, 0.0, 1.0, -49.5), (0.0, 0.0, 0.0, 1.0)),
    )
    assert check(point((20.0, 30.0, 5.0)), within=around)


def test_tracks_are_unique_within_one_time_point():
    port = output_port("detections", tracked=True)
    assert check(point(track_id="a"), point(track_id="b"), port=port)
    with pytest.raises(OutputContradictionError, match="the tracks a stand in two findings"):
        check(point(track_id="a"), point(track_id="a"), port=port)
    with pytest.raises(OutputMalformedError, match="lacks a track_id"):
        check(point(), port=port)


def test_without_an_image_to_lie_in_places_are_free():
    assert check(point((1000.0, 0.0, 0.0)), within=None)
