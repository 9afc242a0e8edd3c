"""Vectors of 16 floats written as LLVM, for what numba cannot say in Python: sums held in registers.

Any processor will do: LLVM splits vectors of 16 into what there is.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.np.arrayobj import make_array

from manywalks.train.dense_engine.adam import BETA_1, BETA_2, EPSILON

LANES = 16
VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INT = ir.IntType(32)
_LOOSE = ("contract", "reassoc", "arcp", "nsz")


def pointers(context: Any, builder: Any, signature: Any, args: Any, which: tuple[int, ...]) -> list[Any]:
    """Where the data of some array arguments lie."""
    return [make_array(signature.args[k])(context, builder, args[k]).data for k in which]


def address(builder: Any, base: Any, offset: Any, k: int = 0) -> Any:
    """Address of the k-th vector from base[offset] on."""
    at = builder.add(offset, ir.Constant(offset.type, k * LANES))
    return builder.bitcast(builder.gep(base, [at]), VECTOR.as_pointer())


def load(builder: Any, base: Any, offset: Any, k: int = 0) -> Any:
    """The k-th vector from base[offset] on."""
    return builder.load(address(builder, base, offset, k), align=4)


def store(builder: Any, vector: Any, base: Any, offset: Any, k: int = 0) -> None:
    """Write the k-th vector from base[offset] on."""
    builder.store(vector, address(builder, base, offset, k), align=4)


def splat(builder: Any, scalar: Any) -> Any:
    """A vector of one number."""
    zero = ir.Constant(VECTOR, ir.Undefined)
    one = builder.insert_element(zero, scalar, ir.Constant(_INT, 0))
    return builder.shuffle_vector(one, zero, ir.Constant(ir.VectorType(_INT, LANES), None))


def prefetch(builder: Any, base: Any, offset: Any, k: int = 0) -> None:
    """Ask the memory for the k-th vector from base[offset] on, which a later call will need."""
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    at = builder.bitcast(address(builder, base, offset, k), byte)
    builder.call(prefetch, [at, ir.Constant(_INT, 1), ir.Constant(_INT, 3), ir.Constant(_INT, 1)])


def scaled_index(builder: Any, offset: Any, factor: int) -> Any:
    """offset * factor."""
    return builder.mul(offset, ir.Constant(offset.type, factor))


def summed(
    builder: Any, sums: list[Any], first: Any, last: Any, products: Callable[[Any], list[tuple[Any, Any]]]
) -> list[Any]:
    """Vectors `sums` + the products of each q in first..last; they stay in registers meanwhile."""
    slots = [cgutils.alloca_once_value(builder, one) for one in sums]
    with cgutils.for_range_slice(builder, first, last, ir.Constant(first.type, 1)) as (q, _):
        for slot, (x, y) in zip(slots, products(q), strict=True):
            addend = builder.fmul(x, y, flags=_LOOSE)
            builder.store(builder.fadd(builder.load(slot), addend, flags=_LOOSE), slot)
    return [builder.load(slot) for slot in slots]


def zero() -> Any:
    """A vector of zeros."""
    return ir.Constant(VECTOR, None)


def adam(builder: Any, places: list[Any], gradient: Any, factors: list[Any]) -> None:
    """Adam on one vector of weights; `manywalks.train.dense_engine.adam` says what is computed.

    Args:
        places: addresses of weights and moments.
        gradient: without the penalty's part.
        factors: vectors penalty, step_size, decay and, where steps without a gradient follow, fade_1, fade_2.
    """

    def number(x: float) -> Any:
        return ir.Constant(VECTOR, [x] * LANES)

    def add(x: Any, y: Any) -> Any:
        return builder.fadd(x, y, flags=_LOOSE)

    def multiply(x: Any, y: Any) -> Any:
        return builder.fmul(x, y, flags=_LOOSE)

    def minus(x: Any, y: Any) -> Any:
        return builder.fsub(x, y, flags=_LOOSE)

    penalty, step_size, decay, *fades = factors
    p, m, v = (builder.load(one, align=4) for one in places)
    g = add(gradient, multiply(penalty, p))
    m = add(m, multiply(minus(g, m), number(1 - BETA_1)))
    v = add(v, multiply(minus(multiply(g, g), v), number(1 - BETA_2)))
    kind = ir.FunctionType(VECTOR, [VECTOR])
    root = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f32")
    below = add(builder.call(root, [v], fastmath=_LOOSE), number(EPSILON))
    p = minus(p, add(multiply(decay, p), builder.fdiv(multiply(step_size, m), below, flags=_LOOSE)))
    if fades:
        m, v = multiply(m, fades[0]), multiply(v, fades[1])
    for one, new in zip(places, (p, m, v), strict=True):
        builder.store(new, one, align=4)
