"""The logic inside a SMARTS atom or bond, as RDKit writes it: text -> a tree of and, or, not and leaves."""

import re
from collections.abc import Callable
from typing import NamedTuple

from rdkit import Chem

_TABLE = Chem.GetPeriodicTable()
_NUMBER = {_TABLE.GetElementSymbol(number): number for number in range(1, 119)}
_AROMATIC = {"b": 5, "c": 6, "n": 7, "o": 8, "p": 15, "s": 16, "as": 33, "se": 34, "te": 52}
_COUNT = re.compile(r"([HDXvRrx])(\d*)")
_CHARGE = re.compile(r"(\++|-+)(\d*)")
_ELEMENT = re.compile(r"Cl|Br|se|as|te|[BCNOFPSIbcnops]")
SINGLE, DOUBLE, TRIPLE, AROMATIC = range(4)
KINDS = 4
IN_RING = ((1 << KINDS) - 1) << KINDS
ANY_BOND = IN_RING | IN_RING >> KINDS


class Leaf(NamedTuple):
    """One property of an atom: its name among `manywalks.featurize.patterns.graph.FIELDS`, and its value.

    The fields `any` (always true), `in_ring` and `around` (a pattern that begins here) are no numbers.
    """

    field: str
    value: int | str


class Node(NamedTuple):
    """`not` of one tree, `and` or `or` of several."""

    kind: str
    parts: "tuple[Tree, ...]"


Tree = Leaf | Node
Primitive = Callable[[str, int], tuple[Tree, int]]


def atom_tree(smarts: str) -> Tree:
    """A SMARTS atom such as `C` or `[N&X3;!$(N-C=O)]`."""
    return _parsed(smarts[1:-1] if smarts.startswith("[") else smarts, _atom_primitive)


def bond_mask(smarts: str) -> int:
    """A SMARTS bond -> the bonds that it allows: bit `kind` outside rings, bit `KINDS + kind` in rings."""
    return _mask(_parsed(smarts, _bond_primitive)) if smarts else _kind(SINGLE) | _kind(AROMATIC)


def recursive(tree: Tree) -> bool:
    """Whether a tree asks for what is around the atom."""
    return tree.field == "around" if isinstance(tree, Leaf) else any(map(recursive, tree.parts))


def _parsed(text: str, primitive: Primitive) -> Tree:
    """By rising strength: `;` and, `,` or, `&` (or nothing) and, `!` not."""
    return _joined(text, ";", "and", lambda low: _joined(low, ",", "or", lambda one: _run(one, primitive)))


def _joined(text: str, mark: str, kind: str, inner: Callable[[str], Tree]) -> Tree:
    """The parts between marks that no bracket holds."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == mark and not depth:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return inner(parts[0]) if len(parts) == 1 else Node(kind, tuple(map(inner, parts)))


def _run(text: str, primitive: Primitive) -> Tree:
    """Primitives after each other, with or without `&`; all must hold."""
    parts: list[Tree] = []
    at = 0
    while at < len(text):
        if text[at] == "&":
            at += 1
            continue
        negated = text[at] == "!"
        one, at = primitive(text, at + negated)
        parts.append(Node("not", (one,)) if negated else one)
    return parts[0] if len(parts) == 1 else Node("and", tuple(parts))


def _atom_primitive(text: str, at: int) -> tuple[Tree, int]:
    """The property that begins there, and where it ends."""
    if text.startswith("$(", at):
        end = _closing(text, at + 1)
        return Leaf("around", text[at + 2 : end]), end + 1
    if text[at] in "*aA":
        tree = Leaf("any", 1) if text[at] == "*" else Leaf("aromatic", int(text[at] == "a"))
        return tree, at + 1
    if number := re.compile(r"#(\d+)").match(text, at):
        return Leaf("number", int(number[1])), number.end()
    if isotope := re.compile(r"(\d+)").match(text, at):
        return Leaf("isotope", int(isotope[1])), isotope.end()
    if element := _ELEMENT.match(text, at):
        return _element(element[0]), element.end()
    if count := _COUNT.match(text, at):
        return _counted(count[1], count[2]), count.end()
    if charge := _CHARGE.match(text, at):
        size = int(charge[2]) if charge[2] else len(charge[1])
        return Leaf("charge", size if charge[1][0] == "+" else -size), charge.end()
    raise ValueError(f"the SMARTS atom [{text}] has a part that is not known here: {text[at:]!r}")


def _element(symbol: str) -> Tree:
    """An aliphatic or aromatic element."""
    number = _AROMATIC.get(symbol) or _NUMBER[symbol]
    return Node("and", (Leaf("number", number), Leaf("aromatic", int(symbol in _AROMATIC))))


def _counted(letter: str, digits: str) -> Tree:
    """Hydrogens, degrees, valence, rings."""
    if letter in "Rrx" and not digits:
        return Leaf("in_ring", 1)
    if letter == "R" and digits == "0":
        return Node("not", (Leaf("in_ring", 1),))
    if letter == "x":
        raise ValueError(f"the SMARTS property x{digits} (bonds in rings) is not known here")
    names = {"H": "hydrogens", "D": "degree", "X": "connections", "v": "valence", "R": "rings", "r": "ring"}
    return Leaf(names[letter], int(digits or 1))


def _closing(text: str, at: int) -> int:
    """Where the bracket that opens there closes."""
    depth = 0
    for end in range(at, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if not depth:
            return end
    raise ValueError(f"the SMARTS {text!r} has a bracket that does not close")


def _kind(kind: int) -> int:
    """Bonds of one kind, in rings and outside."""
    return 1 << kind | 1 << KINDS + kind


def _bond_primitive(text: str, at: int) -> tuple[Tree, int]:
    """The property of a bond that is written there."""
    masks = {"-": _kind(SINGLE), "=": _kind(DOUBLE), "#": _kind(TRIPLE), ":": _kind(AROMATIC)}
    masks |= {"~": ANY_BOND, "@": IN_RING}
    if text[at] not in masks:
        raise ValueError(f"the SMARTS bond {text!r} has a part that is not known here")
    return Leaf("mask", masks[text[at]]), at + 1


def _mask(tree: Tree) -> int:
    """The bonds that a tree allows."""
    if isinstance(tree, Leaf):
        return int(tree.value)
    masks = list(map(_mask, tree.parts))
    if tree.kind == "not":
        return ANY_BOND & ~masks[0]
    result = masks[0]
    for mask in masks[1:]:
        result = result & mask if tree.kind == "and" else result | mask
    return result
