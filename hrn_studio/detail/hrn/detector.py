"""The face detector of the published files: RetinaFace on a ResNet-50.

Deng et al., "RetinaFace: Single-Shot Multi-Level Face Localisation in the Wild", CVPR 2020: a
feature pyramid over strides 8, 16 and 32, a context module per level (SSH, Najibi et al., ICCV
2017), and heads for score, box and five points of each of two anchors per cell.  The studio's own
tracker finds faces; this is for whoever wants exactly HRN's boxes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from hrn_studio.detail.hrn.resnet import ResNet50
from hrn_studio.records import Bytes, Doubles

SIDE = 512
ANCHORS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
"""Stride of a level, and the sides of its anchors in pixels."""
VARIANCES = (0.1, 0.2)
SCORE, OVERLAP = 0.7, 0.4
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class _Step(nn.Sequential):
    """Convolution and batch normalisation, with or without ReLU."""

    def __init__(self, before: int, after: int, size: int = 3, active: bool = True) -> None:
        steps: list[nn.Module] = [
            nn.Conv2d(before, after, size, padding=size // 2, bias=False),
            nn.BatchNorm2d(after),
        ]
        super().__init__(*steps, *([nn.ReLU()] if active else []))


class _Pyramid(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.output1 = _Step(512, width, 1)
        self.output2 = _Step(1024, width, 1)
        self.output3 = _Step(2048, width, 1)
        self.merge1 = _Step(width, width)
        self.merge2 = _Step(width, width)

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        third, fourth, fifth = levels
        low = self.output3(fifth)
        middle = self.output2(fourth)
        middle = self.merge2(middle + F.interpolate(low, middle.shape[2:]))
        high = self.output1(third)
        high = self.merge1(high + F.interpolate(middle, high.shape[2:]))
        return [high, middle, low]


class _Context(nn.Module):
    """Receptive fields of 3, 5 and 7, side by side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.conv3X3 = _Step(width, half, active=False)
        self.conv5X5_1 = _Step(width, quarter)
        self.conv5X5_2 = _Step(quarter, quarter, active=False)
        self.conv7X7_2 = _Step(quarter, quarter)
        self.conv7x7_3 = _Step(quarter, quarter, active=False)

    def forward(self, x: Tensor) -> Tensor:
        five = self.conv5X5_1(x)
        seven = self.conv7x7_3(self.conv7X7_2(five))
        return torch.relu(torch.cat([self.conv3X3(x), self.conv5X5_2(five), seven], dim=1))


class _Head(nn.Module):
    def __init__(self, width: int, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(width, 2 * values, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.conv1x1(x).permute(0, 2, 3, 1).reshape(len(x), -1, self.values))


class RetinaFace(nn.Module):
    """(B, 3, H, W) normalised RGB to scores (B, A), box codes (B, A, 4), point codes (B, A, 10)."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.body = ResNet50()
        self.fpn = _Pyramid(width)
        self.ssh1, self.ssh2, self.ssh3 = _Context(width), _Context(width), _Context(width)
        self.ClassHead = nn.ModuleList(_Head(width, 2) for _ in range(3))
        self.BboxHead = nn.ModuleList(_Head(width, 4) for _ in range(3))
        self.LandmarkHead = nn.ModuleList(_Head(width, 10) for _ in range(3))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pyramid = self.fpn(self.body.levels(image))
        contexts = [self.ssh1(pyramid[0]), self.ssh2(pyramid[1]), self.ssh3(pyramid[2])]
        scores, boxes, points = (
            torch.cat([head(x) for head, x in zip(heads, contexts, strict=True)], dim=1)
            for heads in (self.ClassHead, self.BboxHead, self.LandmarkHead)
        )
        return torch.softmax(scores, dim=2)[..., 1], boxes, points


def detect(net: RetinaFace, image: Bytes) -> Doubles:
    """Faces in a picture (H, W, 3) RGB, best first.

    Returns
    -------
    (N, 5): left, top, right, bottom in pixels (whole numbers), and the score 0..1.
    """
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = round(width * scale), round(height * scale)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    small = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
    values = np.asarray(small, np.float32) / 255
    canvas = np.zeros((SIDE, SIDE, 3), np.float32)
    canvas[top : top + size[1], left : left + size[0]] = (values - MEAN) / DEVIATION
    with torch.no_grad():
        scores, codes, _ = net(torch.from_numpy(canvas).permute(2, 0, 1)[None])
    boxes = decode(codes[0], anchors(SIDE))
    kept = suppress(boxes, scores[0])
    found = boxes[kept].double().numpy() * SIDE - [left, top, left, top]
    found = np.trunc(np.trunc(found) / scale)
    limits = [width - 1, height - 1, width - 1, height - 1]
    return np.asarray(np.c_[np.clip(found, 0, limits), scores[0][kept].double().numpy()])


def anchors(side: int) -> Tensor:
    """(A, 4) centre x, y, width and height of every anchor, in parts of a square picture."""
    rows = []
    for stride, sizes in ANCHORS:
        cells = math.ceil(side / stride)
        centres = (torch.arange(cells) + 0.5) * stride / side
        y, x, s = torch.meshgrid(centres, centres, torch.tensor(sizes) / side, indexing="ij")
        rows.append(torch.stack([x, y, s, s], dim=-1).reshape(-1, 4))
    return torch.cat(rows)


def decode(codes: Tensor, prior: Tensor) -> Tensor:
    """Boxes (A, 4) left, top, right, bottom, in parts of the picture (SSD, ECCV 2016)."""
    centre = prior[:, :2] + codes[:, :2] * VARIANCES[0] * prior[:, 2:]
    half = prior[:, 2:] * torch.exp(codes[:, 2:] * VARIANCES[1]) / 2
    return torch.cat([centre - half, centre + half], dim=1)


def suppress(boxes: Tensor, scores: Tensor) -> Tensor:
    """Indices of the boxes kept, best first: above :data:`SCORE`, overlapping by at most
    :data:`OVERLAP` (intersection over union)."""
    kept: list[int] = []
    order = [int(i) for i in torch.argsort(scores, descending=True) if scores[i] > SCORE]
    areas = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)
    for i in order:
        low = torch.maximum(boxes[i, :2], boxes[kept, :2])
        high = torch.minimum(boxes[i, 2:], boxes[kept, 2:])
        shared = (high - low).clamp(min=0).prod(1)
        if bool((shared <= OVERLAP * (areas[i] + areas[kept] - shared)).all()):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def official_keys(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with keys as here: published copies differ in ``module.`` and in case."""
    with torch.device("meta"):
        known = {key.lower(): key for key in RetinaFace().state_dict()}
    plain = {key.removeprefix("module."): tensor for key, tensor in tensors.items()}
    return {known.get(key.lower(), key): tensor for key, tensor in plain.items()}
