# SPDX-License-Identifier: MIT
"""Markdown out of numbers."""

import statistics


def number(value, digits=3):
    """With about so many significant digits, and never as 1e+03."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    before = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:,.{max(0, digits - before)}f}".replace(",", " ")


def spread(values, digits=3):
    """Median, and the range that the runs covered."""
    if not values:
        return "–"
    middle = number(statistics.median(values), digits)
    if len(values) == 1:
        return middle
    return f"{middle} ({number(min(values), digits)}–{number(max(values), digits)})"


def ratio(values, base):
    """How many times the median is that of ours."""
    if not values or not base or statistics.median(base) == 0:
        return "–"
    return f"{number(statistics.median(values) / statistics.median(base), 2)}×"


def verdict(met):
    return "met" if met else "**missed**"


class Table:
    def __init__(self, title, columns):
        self.title, self.columns, self.rows, self.notes = title, columns, [], []

    def row(self, *cells):
        self.rows.append([str(cell) for cell in cells])

    def note(self, text):
        self.notes.append(text)

    def markdown(self):
        lines = [f"## {self.title}", ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|" + "|".join(" --- " if i == 0 else " ---: " for i in range(len(self.columns))) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"


class Budgets:
    """What DESIGN promised, beside what was measured."""

    def __init__(self):
        self.table = Table("Budgets", ["what", "budget", "measured", ""])

    def add(self, what, budget, measured, met):
        self.table.row(what, budget, measured, verdict(met))
