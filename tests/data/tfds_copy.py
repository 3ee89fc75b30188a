"""Tiny data sets prepared for TensorFlow Datasets: by the stock builder, from made pictures, no download."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest


def prepare(
    dataset: str,
    root: Path,
    splits: Mapping[str, Sequence],
    example: Callable[[Any, Any], dict],
    labels: Sequence[str] | None = None,
) -> Path:
    """Writes `dataset` below `root` and returns `root`.

    Args:
        dataset: a name that TFDS knows.
        root: the data_dir.
        splits: the items of each split; each is the key that TFDS shuffles by.
        example: (the features of the data set, an item) -> its example.
        labels: the names of the feature "label", which stock builders read from the download.
    """
    tfds = pytest.importorskip("tensorflow_datasets")
    stock = tfds.builder_cls(dataset)
    with tfds.core.registered.skip_registration():

        class Builder(stock):
            name = dataset
            pkg_dir_path = stock.pkg_dir_path
            code_path = None  # no list of download checksums, whose reading takes another package
            url_infos: ClassVar = {}

            def _split_generators(self, _):
                if labels:
                    self.info.features["label"].names = labels
                return {split: self._generate_examples(chosen) for split, chosen in splits.items()}

            def _generate_examples(self, chosen):
                for item in chosen:
                    yield item, example(self.info.features, item)

    Builder(data_dir=root).download_and_prepare()
    return root


def damage_first_record(root: Path) -> None:
    """Spoils the data of the first training record, and none of what says where records begin."""
    (train,) = root.rglob("*-train.tfrecord*")
    data = bytearray(train.read_bytes())
    data[12:40] = b"\xff" * 28
    train.write_bytes(data)
