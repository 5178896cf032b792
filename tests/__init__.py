"""The tests. What they share is asserted in the words that pytest gives to failures."""

import os

import pytest

pytest.register_assert_rewrite("tests.browser_page", "tests.support")
# Several test processes share the cores: a thread of OpenMP that waits for another one must not spin meanwhile.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
