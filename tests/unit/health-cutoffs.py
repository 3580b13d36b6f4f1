#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Computes the cutoffs of lib/policy/health.c, or checks the table that is in the tree.

  health-cutoffs.py                 prints lib/policy/health-cutoffs.inc
  health-cutoffs.py --check FILE    exits 1 unless FILE is what would be printed

The claim is H bits of min-entropy per byte: whatever came before, no value of the next byte has
a probability above p = 2^-H. So any rule that predicts the next byte from those before it is
right with p at most, and the number of times it is right in n bytes is never likelier to be
large than a binomial (n, p). alpha is the probability that a source which keeps its claim is
refused: 2^-30 (intermittent) and 2^-60 (permanent).

  repetition    run of equal bytes, SP 800-90B 4.4.1: C = 1 + ceil(-log2(alpha) / H),
                alpha for each byte
  proportion    how often the first byte of a window of 512 occurs in it, itself included:
                C = 1 + min {k : P[Bin(511, p) >= k] <= alpha}, alpha for each window.
                SP 800-90B 4.4.2 writes 1 + CRITBINOM(512, p, 1 - alpha), which counts that first
                byte as a trial; it is no trial, and the exact form never refuses more than alpha.
  predictor     how often one predictor is right in a window of `window` bytes:
                C = min {k : P[Bin(window, p) >= k] <= alpha / PREDICTORS}, so that alpha holds
                for each window and all of them together. A claim under 1.5 bits needs a longer
                window, since 64 right guesses are not improbable enough; window + 1 = never.
  replay        a block's fingerprint is a bijection of its last eight bytes, so it equals one of
                the REMEMBERED with at most REMEMBERED * 2^(-8H) for each byte: used where that
                is no more than 2^-30.

Whole numbers only: p is rounded up to a multiple of 2^-64 (it is irrational for odd 2H), which
can only make a cutoff larger, so the test is never stricter than the claim.
"""

import math
import sys

ALPHA_LOG2 = {"intermittent": 30, "permanent": 60}
LAGS = 64
STRIDES = 4
PREDICTORS = LAGS + STRIDES
REMEMBERED = 32
APT_WINDOW = 512
ROWS = 16  # H = 0.5, 1.0 ... 8.0
SCALE_LOG2 = 64


def predictor_window(halves):
    """The shortest multiple of 64 in which a predictor that is always right fails for good."""
    window = 64
    while halves * window < 2 * ALPHA_LOG2["permanent"] + 2 * math.ceil(math.log2(PREDICTORS)) + 20:
        window += 64
    return window


def probability_scaled(halves):
    """ceil(2^(-halves/2) * 2^SCALE_LOG2)"""
    square = 1 << (2 * SCALE_LOG2 - halves)
    root = math.isqrt(square)
    return root if root * root == square else root + 1


def tail_cutoff(trials, halves, alpha_log2, divisor):
    """The least k with P[Bin(trials, p) >= k] <= 2^-alpha_log2 / divisor; trials + 1 if none."""
    p = probability_scaled(halves)
    q = (1 << SCALE_LOG2) - p
    powers_of_q = [1]
    for _ in range(trials):
        powers_of_q.append(powers_of_q[-1] * q)
    power_of_p = p**trials
    tail = 0
    # 2^(SCALE * trials) is one; both sides are multiplied by the divisor and by 2^alpha_log2
    one = 1 << (SCALE_LOG2 * trials)
    for k in range(trials, -1, -1):
        tail += math.comb(trials, k) * power_of_p * powers_of_q[trials - k]
        if (tail << alpha_log2) * divisor > one:
            return k + 1
        power_of_p //= p
    return 0


def row(halves):
    window = predictor_window(halves)
    values = {"window": window}
    for name, alpha_log2 in ALPHA_LOG2.items():
        repetition = 1 + -(-2 * alpha_log2 // halves)
        proportion = 1 + tail_cutoff(APT_WINDOW - 1, halves, alpha_log2, 1)
        predictor = tail_cutoff(window, halves, alpha_log2, PREDICTORS)
        values[name] = (repetition, proportion, predictor)
    # log2(REMEMBERED) - 8 H <= -30
    values["replay"] = REMEMBERED <= 1 << max(0, 4 * halves - ALPHA_LOG2["intermittent"])
    return values


def self_check():
    """A few values that can be known in another way."""
    assert row(16)["intermittent"][0] == 5 and row(16)["permanent"][0] == 9
    assert row(2)["intermittent"][0] == 31
    # a fair coin: the tail is a plain sum of binomial coefficients
    k = tail_cutoff(64, 2, 20, 1)
    total = lambda n: sum(math.comb(64, i) for i in range(n, 65))
    assert total(k) << 20 <= 1 << 64 < total(k - 1) << 20
    # 2^-32 is the least that 64 guesses of probability 2^-0.5 reach
    assert tail_cutoff(64, 1, 31, 1) <= 64 and tail_cutoff(64, 1, 33, 1) == 65
    for halves in range(1, ROWS + 1):
        p = probability_scaled(halves)
        assert (p - 1) ** 2 < 1 << (2 * SCALE_LOG2 - halves) <= p * p


def render():
    lines = [
        "/* SPDX-License-Identifier: MIT */",
        "/* Written by tests/unit/health-cutoffs.py, which explains it; a test compares the two. */",
        "/* per_1024, window, { repetition, proportion, predictor } intermittent and permanent, replay */",
    ]
    for halves in range(1, ROWS + 1):
        values = row(halves)
        lines.append(
            "{ %4d, %3d, { %3d, %3d, %3d }, { %3d, %3d, %3d }, %s },"
            % (
                halves * 64,
                values["window"],
                *values["intermittent"],
                *values["permanent"],
                "true" if values["replay"] else "false",
            )
        )
    return "\n".join(lines) + "\n"


def main(arguments):
    self_check()
    if not arguments:
        sys.stdout.write(render())
        return 0
    if len(arguments) != 2 or arguments[0] != "--check":
        sys.stderr.write("usage: health-cutoffs.py [--check FILE]\n")
        return 64
    with open(arguments[1], encoding="ascii") as file:
        found = file.read().splitlines()
    wanted = render().splitlines()
    differences = 0
    for number in range(max(len(found), len(wanted))):
        have = found[number] if number < len(found) else "(nothing)"
        want = wanted[number] if number < len(wanted) else "(nothing)"
        if have != want:
            differences += 1
            print("%s:%d: has %s\n    computed %s" % (arguments[1], number + 1, have, want))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
