"""Static int8 of exported networks: QDQ, per channel, calibrated on real inputs. No torch.

Some layers lose more than they save. ``layer_groups`` names those that are worth a trial in
single precision; whoever calls decides by measurement.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.errors import BackendError

Feed = Mapping[str, NDArray[np.float32]]
_PICTURE: Final = "image"


def quantize(
    source: Path,
    target: Path,
    feeds: Sequence[Feed],
    keep: Sequence[str] = (),
    only: Sequence[str] | None = None,
) -> None:
    """Write ``source`` in int8, calibrated on ``feeds``; nodes in ``keep`` stay as they are.

    ``only`` names the operators that change; None: all that can.

    The configuration and thresholds in the file are kept. Raises BackendError if onnx is not
    installed or the file cannot be quantised.
    """
    try:
        import onnx  # noqa: F401
        from onnxruntime import quantization as q
    except ImportError as error:
        raise BackendError('int8 needs onnx: pip install "posestream[train]".') from error
    with tempfile.TemporaryDirectory() as folder, _quiet():
        prepared = _prepared(source, Path(folder))
        try:
            q.quantize_static(
                str(prepared), str(target), _reader(feeds), quant_format=q.QuantFormat.QDQ,
                per_channel=True, activation_type=q.QuantType.QUInt8,
                weight_type=q.QuantType.QInt8, nodes_to_exclude=list(keep),
                calibrate_method=q.CalibrationMethod.MinMax,
                op_types_to_quantize=None if only is None else list(only),
            )  # fmt: skip
        except Exception as error:
            raise BackendError(f"{source} cannot be quantised: export it anew.") from error
    _copy_metadata(source, target)


def layer_groups(path: Path) -> dict[str, list[str]]:
    """Convolutions by place: ``first`` read the picture, ``last`` give the file's outputs,
    ``heads`` feed those.
    """
    graph = _load(path).graph
    makers = {name: node for node in graph.node for name in node.output}
    last = [makers[o.name] for o in graph.output if makers[o.name].op_type == "Conv"]
    heads = [node for end in last if (node := _conv_before(makers, end)) is not None]
    first = [n for n in graph.node if n.op_type == "Conv" and n.input[0] == _PICTURE]
    groups = {"first": first, "last": last, "heads": heads}
    return {name: list(dict.fromkeys(n.name for n in nodes)) for name, nodes in groups.items()}


def _conv_before(makers: Mapping[str, Any], node: Any) -> Any | None:
    """The convolution whose output, perhaps through an activation, enters this one."""
    before = makers.get(node.input[0])
    while before is not None and before.op_type in ("Relu", "Clip"):
        before = makers.get(before.input[0])
    return before if before is not None and before.op_type == "Conv" else None


def _reader(feeds: Sequence[Feed]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc, unused-ignore]
        """Hands out the feeds once."""

        def __init__(self) -> None:
            self._left: Iterator[Feed] = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self._left, None)

    return Reader()


def _prepared(source: Path, folder: Path) -> Path:
    """With shapes inferred and the graph simplified, as quantisation wants it."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    target = folder / "prepared.onnx"
    try:
        quant_pre_process(str(source), str(target), skip_symbolic_shape=True)
    except Exception as error:
        raise BackendError(f"{source} is not a model that can be quantised.") from error
    return target


def _copy_metadata(source: Path, target: Path) -> None:
    import onnx

    model = onnx.load(str(target))
    onnx.helper.set_model_props(model, {p.key: p.value for p in _load(source).metadata_props})
    onnx.save(model, str(target))


def _load(path: Path) -> Any:
    import onnx

    return onnx.load(str(path))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the quantiser's advice on the root logger."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
