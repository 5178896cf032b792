"""A package that is made to misbehave, for the tests of the documentation of this interpreter."""

from __future__ import annotations

import re
from pathlib import Path

TINY: dict[str, str | bytes] = {
    "__init__.py": """
        from tinydocs._impl import Thing, visible
        from tinydocs.deep.inner import helper
        __all__ = ["Thing", "Twin", "gone", "helper", "visible"]
        Twin = Thing
        """,
    "_impl.py": '''
        """Private, but what is shown above is public."""
        class _Base:
            def inherited(self):
                """Come from a base that nobody can name."""
        class Thing(_Base):
            """Hold things."""
            def method(self, first, second=2):
                """Do the thing."""
            def _hidden(self):
                """Do nothing that anybody should know."""
            def undocumented(self):
                return 1
            @property
            def size(self):
                """The number of things."""
            @staticmethod
            def make():
                """Make a thing."""
            again = method
        class SubThing(Thing):
            """Inherit everything."""
        def visible(path, *, mode="r"):
            """Show what is there.

            A second paragraph that is not part of the text.
            """
            return path, mode
        def _invisible():
            """Stay away."""
        ''',
    "deep/__init__.py": "",
    "deep/inner.py": '''
        def helper():
            """Help with   the
            rest."""
        def inner_only():
            """Live deeper down."""
        ''',
    "hang.py": '''
        import time
        def asleep():
            """Never wake up."""
        class Sleeper:
            """Sleep for ever."""
            def dream(self):
                """Dream of sheep."""
        time.sleep(600)
        ''',
    "crash.py": '''
        import os
        def fallen():
            """Fall over."""
        os.abort()
        ''',
    "exits.py": '''
        import sys
        def left():
            """Leave early."""
        sys.exit(0)
        ''',
    "asks.py": '''
        def asked():
            """Ask somebody."""
        answer = input("Your name? ")
        ''',
    "noisy.py": '''
        import os, sys
        print('{"module": "tinydocs.noisy", "garbage": true}')
        os.write(1, b"\\xff\\x00 garbage")
        sys.stderr.write("more garbage")
        def loud():
            """Make noise."""
        ''',
    "generated.py": '''
        def made():
            return 0
        made.__doc__ = "Be documented %s only." % "at run time"
        def broken():
            return 0
        broken.__doc__ = "Say \\udc80 something."
        def numbered():
            return 0
        numbered.__doc__ = 42
        class Refusing(type):
            @property
            def __module__(cls):
                raise RuntimeError("no")
        class Stubborn(metaclass=Refusing):
            """Refuse to say where it belongs."""
        class Lazy:
            """Be lazy."""
            @property
            def value(self):
                """The value, some day."""
                raise RuntimeError("not yet")
        class Raising:
            def __get__(self, instance, owner):
                raise RuntimeError("never")
        class Holder:
            """Hold what raises."""
            bad = Raising()
            def good(self):
                """Be good."""
        ''',
    "reaching.py": """
        import socket, subprocess, sys, webbrowser
        def tried(action):
            try:
                action()
            except PermissionError:
                return "refused"
            return "allowed"
        outcomes = [
            tried(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)),
            tried(lambda: subprocess.run([sys.executable, "-V"])),
            tried(lambda: webbrowser.GenericBrowser("true").open("http://127.0.0.1:9/")),
        ]
        def reach():
            return 0
        reach.__doc__ = "Report %s." % " and ".join(outcomes)
        """,
    "lazy.py": """
        __all__ = ["late", "missing", "explosive"]
        def __getattr__(name):
            if name == "late":
                from tinydocs._late import late
                return late
            if name == "explosive":
                raise RuntimeError("boom")
            raise AttributeError(name)
        """,
    "_late.py": '''
        def late():
            """Come late."""
        ''',
    "imports.py": '''
        from json import dumps
        from tinydocs.deep.inner import inner_only
        def own():
            """Belong here."""
        ''',
    "copies.py": "\n".join(
        f"        class {name}:\n            '''Copy docstrings.'''\n            def copied(self):\n                '''"
        + "Repeat the same long paragraph word by word. " * 6
        + "'''"
        for name in ("First", "Second")
    ),
    "broken.py": "def unreadable(:\n",
    "latin.py": b'def odd():\n    """Caf\xe9 without a declared encoding."""\n',
    "__main__.py": 'def started():\n    """Start the program."""\nraise RuntimeError("started")\n',
    "test_things.py": 'def test_it():\n    """Test it."""\n',
    "things_test.py": 'def check():\n    """Check it."""\n',
    "conftest.py": 'def a_fixture():\n    """Prepare it."""\n',
    "tests/__init__.py": 'def in_tests():\n    """Test all."""\n',
    "_vendor/__init__.py": 'def borrowed():\n    """Belong to others."""\n',
}


def write_package(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content.encode() if isinstance(content, str) else content
        path.write_bytes(re.sub(rb"(?m)^ {8}", b"", text) if text.startswith((b"\n", b" ")) else text)
