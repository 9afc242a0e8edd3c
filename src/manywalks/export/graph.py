"""An ONNX graph, built operation by operation."""

from typing import Any

import numpy as np

try:
    import onnx
    from onnx import helper, numpy_helper
except ImportError:
    raise ValueError("export --onnx: onnx is not installed; pip install 'manywalks[onnx]'") from None

OPSET = 18
# of ONNX's file format; runtimes of the last years read it
IR_VERSION = 9


class Graph:
    """Operations so far; every method takes and gives names of values."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """An operation of ONNX with one output."""
        name = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def several(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        """An operation of ONNX whose outputs get the names given."""
        self._nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], **attributes))

    def const(self, value: Any, dtype: Any = np.float32) -> str:
        """An array of the graph."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=dtype), name))
        return name

    def ints(self, *values: int) -> str:
        """Axes or shapes."""
        return self.const(values, np.int64)

    def cast(self, x: str, dtype: Any) -> str:
        """The same in another precision."""
        return self.op("Cast", x, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def columns(self, x: str, columns: np.ndarray, axis: int = -1) -> str:
        """Some columns."""
        return self.op("Gather", x, self.const(columns, np.int64), axis=axis)

    def pad_columns(self, parts: list[str]) -> str:
        """Columns side by side."""
        return parts[0] if len(parts) == 1 else self.op("Concat", *parts, axis=-1)

    def interp(self, x: str, knots: list[tuple[np.ndarray, np.ndarray]]) -> str:
        """np.interp of each of k columns by knots of its own: float64 (..., k) -> (..., k).

        The knot to the left is found by bisection, all columns at once.
        """
        size = 1 << max(1, (max(len(at) for at, _ in knots) - 1).bit_length())
        at, z, slope = (np.full((len(knots), size), fill) for fill in (np.inf, 0.0, 0.0))
        for column, (left, value) in enumerate(knots):
            at[column, : len(left)], z[column, : len(left)] = left, value
            slope[column, : len(left) - 1] = np.diff(value) / np.diff(left)
        first, last = at[:, 0], np.array([left[-1] for left, _ in knots])
        x = self.op("Min", self.op("Max", x, self.const(first, np.float64)), self.const(last, np.float64))
        flat = self.const(at.ravel(), np.float64)
        base = self.const(np.arange(len(knots)) * size, np.int64)
        place = self.op("Add", self.cast(self.op("Mul", x, self.const(0.0, np.float64)), np.int64), base)
        step = size // 2
        while step:
            probe = self.op("Add", place, self.const(step, np.int64))
            beyond = self.op("GreaterOrEqual", x, self.op("Gather", flat, probe))
            place = self.op("Where", beyond, probe, place)
            step //= 2
        run = self.op("Sub", x, self.op("Gather", flat, place))
        rise = self.op("Mul", run, self.op("Gather", self.const(slope.ravel(), np.float64), place))
        return self.op("Add", self.op("Gather", self.const(z.ravel(), np.float64), place), rise)

    def model(
        self, width: int, outputs: dict[str, tuple[str, int]], about: dict[str, str]
    ) -> "onnx.ModelProto":
        """The whole: input `features` (n, width), outputs by name with their widths, and metadata."""
        for name, (value, _) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [name]))
        given = helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["n", width])
        made = [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", columns])
            for name, (_, columns) in outputs.items()
        ]
        graph = helper.make_graph(self._nodes, "ensemble", [given], made, self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="manywalks"
        )
        model.ir_version = IR_VERSION
        helper.set_model_props(model, about)
        return model
