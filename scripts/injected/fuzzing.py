"""Values, texts, files and calls that nobody expects: the properties in `tests/fuzz`, with many more cases."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from scripts.injected.parts import PROJECT_FOLDER, Fault, child_environment

SUBJECTS = {
    "quantization": "any arrays to the quantizers",
    "kernel": "any codes, tables and threads to the kernel that scans sign bits",
    "search": "any texts, vectors, rows and settings to a search",
    "addresses": "any addresses, links, host names and texts on their way to HTML",
    "manifests": "any manifest, and one changed on purpose with a checksum that fits",
    "files": "any bytes as a table or as vectors, and real ones damaged",
    "endpoints": "any calls to every endpoint and handler of the page",
}
"""What is fuzzed, by the test file that does it."""
_PASSED = 0


def run(times: int = 30) -> list[Fault]:
    """Returns what came of all properties, each tried `times` as often as in the tests."""
    return [_fuzzed(subject, what, times) for subject, what in SUBJECTS.items()]


def _fuzzed(subject: str, what: str, times: int) -> Fault:
    fault = Fault(f"fuzzing (Hypothesis): {what}")
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "report.xml"
        child = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-o",
             "junit_family=xunit1", f"tests/fuzz/test_{subject}.py"],
            cwd=PROJECT_FOLDER, env={**child_environment(), "FUZZ_TIMES": str(times)}, stdout=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
        if child.returncode != _PASSED:
            print(child.stdout, file=sys.stderr)
            fault.outcomes["process died" if child.returncode < 0 else "another error"] += 1
            return fault
        fault.outcomes["answered rightly, or refused with a message"] += _num_cases(report)
    return fault


def _num_cases(report: Path) -> int:
    """Returns how many cases the tests of a report have tried."""
    properties = ET.parse(report).iter("property")
    return sum(int(each.get("value", "0")) for each in properties if each.get("name") == "cases")
