"""Lost, extra and switched people, on cases small enough to count by hand."""

from __future__ import annotations

import numpy as np

from posestream.evaluation.hand_counts import Counts, boxes_of, iou, match

LEFT = [0.0, 0.0, 10.0, 20.0]
RIGHT = [30.0, 0.0, 40.0, 20.0]


def person(hand_id, box, **more):
    return {"id": hand_id, "box_px": box, **more}


def test_everybody_found_under_steady_ids():
    counts = Counts()
    for _ in range(3):
        counts.add([person(1, LEFT), person(2, RIGHT)], np.array([RIGHT, LEFT]), [8, 7])
    assert counts.as_dict() == {
        "frames": 3, "people": 6, "found": 6, "lost": 0, "extra": 0, "switches": 0
    }  # fmt: skip


def test_exchanged_identities_are_two_switches():
    counts = Counts()
    counts.add([person(1, LEFT), person(2, RIGHT)], np.array([LEFT, RIGHT]), [7, 8])
    counts.add([person(1, RIGHT), person(2, LEFT)], np.array([LEFT, RIGHT]), [7, 8])
    assert counts.switches == 2


def test_an_absence_does_not_hide_a_switch():
    counts = Counts()
    for boxes, ids in ((np.array([LEFT]), [7]), (np.zeros((0, 4)), []), (np.array([LEFT]), [9])):
        counts.add([person(1, LEFT)], boxes, ids)
    assert (counts.lost, counts.switches) == (1, 1)


def test_ignored_people_are_neither_lost_nor_extra():
    counts = Counts()
    counts.add([person(1, LEFT, ignore=True)], np.array([LEFT]), [7])
    counts.add([person(1, LEFT, ignore=True)], np.zeros((0, 4)), [])
    assert (counts.people, counts.lost, counts.extra) == (0, 0, 0)


def test_a_second_track_on_one_body_is_extra():
    counts = Counts()
    counts.add([person(1, LEFT)], np.array([LEFT, [1.0, 0.0, 11.0, 20.0]]), [7, 8])
    assert (counts.found, counts.extra) == (1, 1)


def test_overlap_of_half_shifted_boxes_is_a_third():
    assert iou(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]]))[0, 0] == 1 / 3


def test_far_boxes_do_not_match():
    assert match([LEFT], np.array([RIGHT])) == {}


def test_boxes_go_round_the_known_joints_only():
    xy = np.array([[[1.0, 2.0], [np.nan, np.nan], [5.0, 9.0]]])
    np.testing.assert_array_equal(boxes_of(xy), [[1.0, 2.0, 5.0, 9.0]])
