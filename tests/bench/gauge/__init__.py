# SPDX-License-Identifier: MIT
"""Measures rngd beside its peers, on the same kernel in the same run, and writes Markdown."""
