# SPDX-License-Identifier: MIT
"""Boots real kernels, talks to the agent inside, and runs the tests of tests/vm."""
