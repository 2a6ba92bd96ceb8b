"""Bars as SVG that the page itself holds: places across are percentages, so that bars stretch and words do not."""

from dataclasses import dataclass
from decimal import Decimal

STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Bar:
    """A bar: what it says, how much that is in words, and its length in percent of the scale."""

    label: str
    said: str
    percent: float


@dataclass(frozen=True)
class Chart:
    """Bars and the lines of their scale, as (what it says, its place in percent)."""

    title: str
    bars: list[Bar]
    scale: list[tuple[str, float]]


def chart(title: str, points: list[tuple[str, Decimal, str]]) -> Chart:
    """From label, amount and the amount in words."""
    top, step = _scale(max((amount for _, amount, _ in points), default=Decimal(0)))
    bars = [Bar(label, said, round(100 * float(amount) / top, 2)) for label, amount, said in points]
    lines = [(_short(step * place), 100 * step * place / top) for place in range(round(top / step) + 1)]
    return Chart(title, bars, lines)


def _scale(most: Decimal) -> tuple[float, float]:
    """The end of a scale that holds an amount, and the step between its lines: four or five round ones."""
    if most <= 0:
        return 1.0, 1.0
    rough = float(most) / 4
    power = 10.0 ** (len(str(int(rough))) - 1) if rough >= 1 else 0.1
    step = next(one * power for one in STEPS if one * power >= rough)
    lines = -(-float(most) // step)
    return lines * step, step


def _short(amount: float) -> str:
    """`1.5k`, `20M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"{amount / size:g}{letter}"
    return f"{amount:g}"
