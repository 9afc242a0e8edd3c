"""Products with a kernel that lies in panels of 64 columns, tile by tile in registers.

A BLAS must copy ("pack") a large kernel before it multiplies a batch of 32 with it, since rows that lie a
power of 2 apart share a cache set; and it must write a gradient out before Adam reads it. A kernel that
stays in panels (panels, rows, 64) needs neither. Rows are filled up to whole tiles, with zeros.
"""

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

from manywalks.train.dense_engine import llvm
from manywalks.train.dense_engine.gather import COLUMNS

MOLECULES = 32


"""Batches are filled up to a multiple of this."""


ROWS = 8


"""A kernel's rows are filled up to a multiple of this."""


ACROSS = 4


"""Molecules, or rows, of a tile."""


def _is_wide() -> bool:
    """Whether a register holds a whole vector of 16, as numba's target has it."""
    asked: str | None = getattr(config, "CPU_FEATURES")  # noqa: B009  (numba makes it when it is imported)
    if asked is not None:
        return "+avx512f" in asked.split(",")
    return bool(binding.get_host_cpu_features().get("avx512f"))


# sixteen sums of 16 floats need 32 registers of 64 bytes; where there are 16 of 32 bytes, four sums have room
_VECTORS, _BACK_ROWS, _PARTS = (4, 8, 2) if _is_wide() else (1, 4, 1)
TILE = _VECTORS * llvm.LANES


"""Columns of a tile."""


BACK_ROWS, BACK_MOLECULES = _BACK_ROWS, _PARTS * llvm.LANES


"""Rows and molecules of a tile on the way back."""


@intrinsic
def tile_forward(_typing, out, at_out, across, at_across, b, kernel, at_kernel, soon, rows):
    """out (4, TILE) += a (4, rows) times kernel (rows, TILE), where across is a turned round: (rows, b).

    Rows of out and kernel lie 64 apart.

    Meanwhile `rows` cache lines of the kernel from `soon` on, which later calls need, come from memory.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, across, kernel = llvm.pointers(context, builder, signature, args, (0, 2, 5))
        _, at_out, _, at_across, b, _, at_kernel, soon, rows = args
        places = [
            (builder.add(at_out, ir.Constant(at_out.type, i * COLUMNS)), k)
            for i in range(ACROSS)
            for k in range(_VECTORS)
        ]

        def products(q: Any) -> list[tuple[Any, Any]]:
            llvm.prefetch(builder, kernel, builder.add(soon, llvm.scaled_index(builder, q, llvm.LANES)))
            at = builder.add(at_kernel, llvm.scaled_index(builder, q, COLUMNS))
            row = [llvm.load(builder, kernel, at, k) for k in range(_VECTORS)]
            first = builder.add(at_across, builder.mul(q, b))
            return [
                (llvm.splat(builder, _number(builder, across, first, i)), one)
                for i in range(ACROSS)
                for one in row
            ]

        sums = [llvm.load(builder, out, *one) for one in places]
        sums = llvm.summed(builder, sums, ir.Constant(rows.type, 0), rows, products)
        for total, one in zip(sums, places, strict=True):
            llvm.store(builder, total, out, *one)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(out, whole, across, whole, whole, kernel, whole, whole, whole), code


@intrinsic
def tile_back(_typing, out, at_out, b, kernel, at_kernel, d, at_d, columns):
    """out += kernel (BACK_ROWS, columns) times d (columns, BACK_MOLECULES); rows of out and d lie b apart."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, kernel, d = llvm.pointers(context, builder, signature, args, (0, 3, 5))
        _, at_out, b, _, at_kernel, _, at_d, columns = args
        places = [
            (builder.add(at_out, llvm.scaled_index(builder, b, i)), k)
            for i in range(BACK_ROWS)
            for k in range(_PARTS)
        ]

        def products(q: Any) -> list[tuple[Any, Any]]:
            at = builder.add(at_d, builder.mul(q, b))
            row = [llvm.load(builder, d, at, k) for k in range(_PARTS)]
            first = builder.add(at_kernel, q)
            return [
                (llvm.splat(builder, _number(builder, kernel, first, i * COLUMNS)), one)
                for i in range(BACK_ROWS)
                for one in row
            ]

        sums = [llvm.load(builder, out, *one) for one in places]
        sums = llvm.summed(builder, sums, ir.Constant(columns.type, 0), columns, products)
        for total, one in zip(sums, places, strict=True):
            llvm.store(builder, total, out, *one)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(out, whole, whole, kernel, whole, d, whole, whole), code


@intrinsic
def tile_adam(_typing, p, m, v, at, across, at_across, stride, d, at_d, b, penalty, step_size, decay):
    """Adam on p (4, TILE), whose gradient is across (4, b) times d (b, TILE), rows of across stride apart.

    Meanwhile the moments that the next call needs come from memory.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        p, m, v, across, d = llvm.pointers(context, builder, signature, args, (0, 1, 2, 4, 7))
        at, at_across, stride, at_d, b = args[3], args[5], args[6], args[8], args[9]

        def products(q: Any) -> list[tuple[Any, Any]]:
            line = builder.add(at, llvm.scaled_index(builder, q, llvm.LANES))
            for base in (m, v):
                llvm.prefetch(builder, base, line, ACROSS * COLUMNS // llvm.LANES)
            offset = builder.add(at_d, llvm.scaled_index(builder, q, COLUMNS))
            row = [llvm.load(builder, d, offset, k) for k in range(_VECTORS)]
            starts = [
                builder.add(builder.add(at_across, q), llvm.scaled_index(builder, stride, i))
                for i in range(ACROSS)
            ]
            factors = [llvm.splat(builder, _number(builder, across, one, 0)) for one in starts]
            return [(factor, one) for factor in factors for one in row]

        sums = [llvm.zero()] * (ACROSS * _VECTORS)
        sums = llvm.summed(builder, sums, ir.Constant(b.type, 0), b, products)
        factors = [llvm.splat(builder, factor) for factor in args[10:]]
        for place, gradient in enumerate(sums):
            i, k = divmod(place, _VECTORS)
            row = builder.add(at, ir.Constant(at.type, i * COLUMNS))
            places = [llvm.address(builder, base, row, k) for base in (p, m, v)]
            llvm.adam(builder, places, gradient, factors)
        return context.get_dummy_value()

    real, whole = types.float32, types.intp
    return types.void(p, m, v, whole, across, whole, whole, d, whole, whole, real, real, real), code


def _number(builder: Any, base: Any, offset: Any, k: int) -> Any:
    """base[offset + k]."""
    return builder.load(builder.gep(base, [builder.add(offset, ir.Constant(offset.type, k))]))
