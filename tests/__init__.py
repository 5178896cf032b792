"""The tests. What they share is asserted in the words that pytest gives to failures."""

import pytest

pytest.register_assert_rewrite("tests.browser_page", "tests.support")
