"""Bounding boxes by hand: rows before columns, the last pixel inside."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import find_objects

from inpainting_tf.ops.boxes import bounding_box, box_shape, boxes_of, grown, moved


def test_the_box_around_two_pixels():
    mask = np.zeros((20, 31), bool)
    mask[3, 25] = mask[7, 11] = True
    assert bounding_box(mask) == bounding_box(mask * np.float32(0.5)) == np.s_[3:8, 11:26]
    assert box_shape(bounding_box(mask)) == (5, 15)


def test_a_single_pixel_in_the_last_corner_and_a_full_mask():
    mask = np.zeros((4, 7), np.uint8)
    mask[3, 6] = 1
    assert bounding_box(mask) == np.s_[3:4, 6:7]
    assert bounding_box(mask + 1) == np.s_[0:4, 0:7]


def test_a_box_grows_as_far_as_the_picture_goes():
    assert grown(np.s_[3:8, 11:26], (2, 5), (20, 31)) == np.s_[1:10, 6:31]
    assert grown(np.s_[3:8, 11:26], (4, 0), (9, 31)) == np.s_[0:9, 11:26]


def test_a_box_of_a_part_in_the_picture():
    assert moved(np.s_[1:3, 0:4], np.s_[10:15, 20:26]) == np.s_[11:13, 20:24]


def test_the_boxes_of_labels_are_those_of_scipy():
    assert boxes_of(np.zeros((4, 5), np.int32)) == []
    labels = np.zeros((6, 9), np.int32)
    labels[1, 7:], labels[2, :3] = 1, 1  # next to each other in memory, and of one label
    labels[3:5], labels[5, 8] = 2, 3  # rows from side to side, and the last pixel
    assert boxes_of(labels) == find_objects(labels) == [np.s_[1:3, 0:9], np.s_[3:5, 0:9], np.s_[5:6, 8:9]]
    drawn = np.random.default_rng(0).integers(0, 5, (7, 11)).astype(np.int32)
    assert boxes_of(drawn) == find_objects(drawn)
