"""The sparse product at the processor's pace: sums of short rows held in registers, and Adam right on them.

`sum += value * row` written as a loop loads and stores the sum at every addend. Here the sum of a row's 64
columns stays in vector registers: 1.8 times faster (2.0 against 1.1 x 10^10 multiplications a second); and
where it is a gradient, Adam takes it from there. Numba cannot say so in Python, hence these lines of LLVM.
Any processor will do: LLVM splits vectors of 16 into what there is.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from manywalks.tasks.adam import BETA_1, BETA_2, EPSILON

COLUMNS = 64
"""Columns of a panel: 4 vectors of 16; a panel of 2,048 rows (0.5 MB) stays in a core's second cache."""

_LANES = 16
_FLOAT, _INT = ir.FloatType(), ir.IntType(32)
_VECTOR = ir.VectorType(_FLOAT, _LANES)
_LOOSE = ("contract", "reassoc", "arcp", "nsz")


@intrinsic
def gather(_typing, out, table, start, index, value, first, last):
    """out[0:64] = sum of value[q] * row(index[q]) for q in first..last; row(i) = table[start + 64 i:][:64].

    Args:
        out: float32, flat.
        table: float32, flat.
        start: where row 0 begins.
        index: int32.
        value: float32.
        first, last: the addends.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, table, index, value = _pointers(context, builder, signature, args, (0, 1, 3, 4))
        sums = _sums(builder, table, args[2], index, value, args[5], args[6])
        for k, total in enumerate(sums):
            builder.store(total, _place(builder, out, ir.Constant(args[2].type, 0), k), align=4)
        return context.get_dummy_value()

    return types.void(out, table, types.intp, index, value, types.intp, types.intp), code


@intrinsic
def gather_adam(
    _typing, p, m, v, at, soon, table, index, value, first, last, penalty, push, shrink, fade_1, fade_2
):
    """`gather` as gradient of p[at : at + 64], its Adam step, and the steps that it sits out afterwards.

    Args:
        p, m, v: float32, flat: weights and Adam's moments.
        at: where the 64 of them begin.
        soon: where those of a later call begin, to be fetched meanwhile.
        table, index, value, first, last: as in `gather`, start 0.
        penalty: the gradient's share of p itself.
        push, shrink, fade_1, fade_2: see `adam.adam`; m and v fade by fade_1 and fade_2 at the end.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        p, m, v, table, index, value = _pointers(context, builder, signature, args, (0, 1, 2, 5, 6, 7))
        at = args[3]
        _fetch(builder, (p, m, v), args[4])
        sums = _sums(builder, table, ir.Constant(at.type, 0), index, value, args[8], args[9])
        factors = [_spread(builder, factor) for factor in args[10:]]
        for k, gradient in enumerate(sums):
            _adam(builder, [_place(builder, base, at, k) for base in (p, m, v)], gradient, factors)
        return context.get_dummy_value()

    real, whole = types.float32, types.intp
    return types.void(
        p, m, v, whole, whole, table, index, value, whole, whole, real, real, real, real, real
    ), code  # fmt: skip


def _pointers(context: Any, builder: Any, signature: Any, args: Any, which: tuple[int, ...]) -> list[Any]:
    """Where the data of some array arguments lie."""
    return [make_array(signature.args[k])(context, builder, args[k]).data for k in which]


def _place(builder: Any, base: Any, offset: Any, k: int) -> Any:
    """Address of the k-th vector from base[offset] on."""
    at = builder.add(offset, ir.Constant(offset.type, k * _LANES))
    return builder.bitcast(builder.gep(base, [at]), _VECTOR.as_pointer())


def _fetch(builder: Any, bases: tuple[Any, ...], offset: Any) -> None:
    """Ask the memory for what a later call will need."""
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    for base in bases:
        for k in range(COLUMNS // _LANES):
            at = builder.bitcast(_place(builder, base, offset, k), byte)
            builder.call(prefetch, [at, ir.Constant(_INT, 1), ir.Constant(_INT, 3), ir.Constant(_INT, 1)])


def _spread(builder: Any, scalar: Any) -> Any:
    """A vector of one number."""
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    one = builder.insert_element(nothing, scalar, ir.Constant(_INT, 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(_INT, _LANES), None))


def _sums(builder: Any, table: Any, start: Any, index: Any, value: Any, first: Any, last: Any) -> list[Any]:
    """The four vectors of a weighted sum of rows."""
    zero = ir.Constant(_VECTOR, None)
    sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(COLUMNS // _LANES)]
    for total in sums:
        builder.store(zero, total)
    with cgutils.for_range_slice(builder, first, last, ir.Constant(first.type, 1)) as (q, _):
        row = builder.sext(builder.load(builder.gep(index, [q])), start.type)
        offset = builder.add(start, builder.mul(row, ir.Constant(start.type, COLUMNS)))
        factor = _spread(builder, builder.load(builder.gep(value, [q])))
        for k, total in enumerate(sums):
            addend = builder.fmul(
                factor, builder.load(_place(builder, table, offset, k), align=4), flags=_LOOSE
            )
            builder.store(builder.fadd(builder.load(total), addend, flags=_LOOSE), total)
    return [builder.load(total) for total in sums]


def _adam(builder: Any, places: list[Any], gradient: Any, factors: list[Any]) -> None:
    """Adam on one vector of weights; `adam.adam` says what is computed."""

    def number(x: float) -> Any:
        return ir.Constant(_VECTOR, [x] * _LANES)

    def add(x: Any, y: Any) -> Any:
        return builder.fadd(x, y, flags=_LOOSE)

    def multiply(x: Any, y: Any) -> Any:
        return builder.fmul(x, y, flags=_LOOSE)

    def minus(x: Any, y: Any) -> Any:
        return builder.fsub(x, y, flags=_LOOSE)

    penalty, push, shrink, fade_1, fade_2 = factors
    p, m, v = (builder.load(place, align=4) for place in places)
    g = add(gradient, multiply(penalty, p))
    m = add(m, multiply(minus(g, m), number(1 - BETA_1)))
    v = add(v, multiply(minus(multiply(g, g), v), number(1 - BETA_2)))
    root = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.sqrt.v{_LANES}f32"
    )
    below = add(builder.call(root, [v], fastmath=_LOOSE), number(EPSILON))
    u = builder.fdiv(multiply(push, m), below, flags=_LOOSE)
    p = minus(p, add(multiply(shrink, p), u))
    for place, new in zip(places, (p, multiply(m, fade_1), multiply(v, fade_2)), strict=True):
        builder.store(new, place, align=4)
