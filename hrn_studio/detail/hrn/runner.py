"""The regression network as fast as this machine can run it, for a live preview.

Four ways: torch as it is, torch with its normalisations folded into the convolutions, ONNX Runtime
in single precision, and ONNX Runtime with 8-bit weights and activations.  The last is only used
when it answers like the first on pictures the caller gives; :func:`fastest` decides by measuring.
The ONNX ways need the packages onnx and onnxruntime (extra ``hrn-live``).
"""

from __future__ import annotations

import importlib.util
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrn_studio.detail.hrn.resnet import Parts, Regression
from hrn_studio.detail.hrn.single import as_tensor
from hrn_studio.errors import ModelDataError
from hrn_studio.records import Bytes, Floats

Runner = Callable[[Bytes], Floats]
"""From a crop (224, 224, 3) RGB to coefficients (257,)."""

TORCH, FOLDED, ONNX, INT8 = "torch", "torch, folded", "ONNX Runtime", "ONNX Runtime, 8 bit"
_FILES = {ONNX: "regression.onnx", INT8: "regression-int8.onnx"}
LIMITS = {"identity": 0.15, "expression": 0.15, "angles": 0.01, "translation": 0.01}
"""Largest error of a way that counts as the same answer: standard deviations, radians,
decimetres (0.01 dm is one pixel of the crop)."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One way to run the network."""

    name: str
    run: Runner
    times_s: tuple[float, ...]
    errors: Mapping[str, float]
    """Largest difference from torch by group of coefficients."""

    @property
    def faithful(self) -> bool:
        """Whether it answers like torch."""
        return all(self.errors[name] <= limit for name, limit in LIMITS.items())

    @property
    def median_s(self) -> float:
        return float(np.median(self.times_s))


def has_onnx() -> bool:
    """Whether the packages for the ONNX ways are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def ways(net: Regression, crops: Sequence[Bytes], folder: Path) -> Iterator[tuple[str, Runner]]:
    """Every way this machine has, one after the other.

    Parameters
    ----------
    crops
        Pictures of faces; every second one sets the ranges of the 8-bit numbers.
    folder
        Where ONNX files are written; they may be thrown away afterwards.
    """
    yield TORCH, plain(net)
    yield FOLDED, folded(net)
    if has_onnx():
        single = folder / _FILES[ONNX]
        write_onnx(net, single)
        yield ONNX, session(single)
        small = folder / _FILES[INT8]
        quantize(single, small, crops[::2])
        yield INT8, session(small)


def way(name: str, net: Regression, folder: Path) -> Runner:
    """One way alone, with the files that :func:`ways` wrote into ``folder``.

    Raises
    ------
    ModelDataError
        There is no such way here, or its file is missing or damaged.
    """
    if name in (TORCH, FOLDED):
        return plain(net) if name == TORCH else folded(net)
    file = folder / _FILES.get(name, "")
    if not has_onnx() or not file.is_file():
        raise ModelDataError(f"HRN's regression cannot run by '{name}' here; measure it again")
    try:
        return session(file)
    except Exception as error:  # onnxruntime has classes of its own for every fault
        raise ModelDataError(f"'{file}' is damaged; delete it") from error


def measure(
    net: Regression, crops: Sequence[Bytes], folder: Path, repeat: int = 20
) -> tuple[Measured, ...]:
    """Time every way on some crops, and compare it with torch.

    Raises
    ------
    ModelDataError
        No crop is given.
    """
    if not crops:
        raise ModelDataError("there is no face to measure the regression on; give a picture of one")
    wanted: Floats | None = None
    result = []
    for name, run in ways(net, crops, folder):
        answers = np.stack([run(crop) for crop in crops])
        wanted = answers if wanted is None else wanted
        times = []
        for number in range(repeat):
            start = time.perf_counter()
            run(crops[number % len(crops)])
            times.append(time.perf_counter() - start)
        result.append(Measured(name, run, tuple(times), differences(answers, wanted)))
    return tuple(result)


def fastest(measured: Sequence[Measured]) -> Measured:
    """The quickest way that answers like torch."""
    return min((way for way in measured if way.faithful), key=lambda way: way.median_s)


def differences(found: Floats, wanted: Floats) -> dict[str, float]:
    """Largest difference of coefficients (B, 257) by group."""
    a, b = (Parts.split(torch.from_numpy(np.asarray(v, np.float32))) for v in (found, wanted))
    return {name: float((getattr(a, name) - getattr(b, name)).abs().max()) for name in LIMITS}


def plain(net: Regression) -> Runner:
    """torch as it is."""

    def run(crop: Bytes) -> Floats:
        with torch.inference_mode():
            return np.asarray(net(as_tensor(crop))[0].numpy())

    return run


def folded(net: Regression) -> Runner:
    """torch with constants folded once."""
    example = torch.zeros(1, 3, 224, 224)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that TorchScript will go one day
        traced: Any = torch.jit.trace(net, example)  # type: ignore[no-untyped-call]
        ready: Any = torch.jit.optimize_for_inference(traced)
        for _ in range(2):  # it specialises itself on the first calls
            ready(example)

    def run(crop: Bytes) -> Floats:
        with torch.inference_mode():
            return np.asarray(ready(as_tensor(crop))[0].numpy())

    return run


def write_onnx(net: Regression, path: Path) -> None:
    """Write the network as ONNX, single precision."""
    example = torch.zeros(1, 3, 224, 224)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (example,),
            str(path),
            dynamo=False,  # the other exporter needs one more package
            input_names=["image"],
            output_names=["coefficients"],
            opset_version=17,
        )


def quantize(source: Path, target: Path, crops: Sequence[Bytes]) -> None:
    """Write an 8-bit copy (static ranges, a scale per channel) of an ONNX file."""
    from onnxruntime import quantization

    feeds = iter([{"image": as_tensor(crop).numpy()} for crop in crops])

    class Crops(quantization.CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Any] | None:
            return next(feeds, None)

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it thinks aloud
    try:
        quantization.quantize_static(
            str(source),
            str(target),
            Crops(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
    finally:
        logging.disable(before)


def session(path: Path) -> Runner:
    """ONNX Runtime on the processor, with torch's number of threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    loaded = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(crop: Bytes) -> Floats:
        (answer,) = loaded.run(None, {"image": as_tensor(crop).numpy()})
        return np.asarray(answer[0], np.float32)

    return run
