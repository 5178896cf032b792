"""What a program cannot find out: which modules the official documentation covers, and which must not run."""

from __future__ import annotations

NEVER_READ = frozenset(
    {
        # Easter eggs, applications and tests.
        *("antigravity", "this", "idlelib", "turtledemo", "test", "ensurepip", "pydoc_data"),
        # Gone from newer versions, undocumented where they remain.
        *("distutils", "lib2to3"),
        # What `os`, `os.path`, `re`, `dis`, `urllib` and `xml.parsers.expat` are made of.
        *("nt", "posix", "ntpath", "posixpath", "genericpath", "sre_compile", "sre_constants", "sre_parse"),
        *("opcode", "nturl2path", "pyexpat"),
        # Examples of extension modules.
        *("xxlimited", "xxlimited_35", "xxsubtype"),
    }
)
"""Modules of the standard library that are no public API."""

NEVER_IMPORTED = NEVER_READ | {"tkinter", "turtle"}
"""Modules that open a window or a browser, or print something, when imported. Public ones are read from source."""

NOT_PUBLIC_PARTS = frozenset(
    {
        *("test", "tests", "testutils", "conftest", "setup", "benchmarks", "examples"),
        *("vendor", "vendored", "extern", "externals", "third_party"),
    }
)
"""Parts of a dotted name that mark tests, tools and other people's code inside a package."""

STDLIB_SUBMODULES = (
    *("collections.abc", "concurrent.futures", "concurrent.interpreters", "compression.zstd"),
    *("ctypes.util", "ctypes.wintypes", "curses.ascii", "curses.panel", "curses.textpad"),
    *("dbm.dumb", "dbm.gnu", "dbm.ndbm", "dbm.sqlite3"),
    *("email.charset", "email.contentmanager", "email.encoders", "email.errors", "email.generator", "email.header"),
    *("email.headerregistry", "email.iterators", "email.message", "email.mime.application", "email.mime.audio"),
    *("email.mime.base", "email.mime.image", "email.mime.message", "email.mime.multipart", "email.mime.nonmultipart"),
    *("email.mime.text", "email.parser", "email.policy", "email.utils", "encodings.idna"),
    *("html.entities", "html.parser", "http.client", "http.cookiejar", "http.cookies", "http.server"),
    *("importlib.abc", "importlib.machinery", "importlib.metadata", "importlib.resources", "importlib.resources.abc"),
    *("importlib.util", "logging.config", "logging.handlers"),
    *(
        "multiprocessing.connection",
        "multiprocessing.managers",
        "multiprocessing.pool",
        "multiprocessing.shared_memory",
    ),
    *("multiprocessing.sharedctypes", "os.path", "pathlib.types", "string.templatelib", "sys.monitoring"),
    *("tkinter.colorchooser", "tkinter.commondialog", "tkinter.dialog", "tkinter.dnd", "tkinter.filedialog"),
    *("tkinter.font", "tkinter.messagebox", "tkinter.scrolledtext", "tkinter.simpledialog", "tkinter.ttk"),
    *("unittest.mock", "urllib.error", "urllib.parse", "urllib.request", "urllib.response", "urllib.robotparser"),
    *("wsgiref.handlers", "wsgiref.headers", "wsgiref.simple_server", "wsgiref.types", "wsgiref.util"),
    "wsgiref.validate",
    *("xml.dom", "xml.dom.minidom", "xml.dom.pulldom", "xml.etree.ElementTree", "xml.parsers.expat", "xml.sax"),
    *("xml.sax.handler", "xml.sax.saxutils", "xml.sax.xmlreader", "xmlrpc.client", "xmlrpc.server"),
)
"""Modules below the top level that docs.python.org documents, of any version: those that are missing are skipped."""

DOCUMENTED_SUBMODULES = {
    "numpy": (
        *("char", "ctypeslib", "dtypes", "exceptions", "f2py", "fft", "lib", "lib.array_utils", "lib.format"),
        *("lib.introspect", "lib.mixins", "lib.npyio", "lib.recfunctions", "lib.scimath", "lib.stride_tricks"),
        *("linalg", "ma", "polynomial", "polynomial.chebyshev", "polynomial.hermite"),
        *("polynomial.hermite_e", "polynomial.laguerre", "polynomial.legendre", "polynomial.polynomial"),
        *("polynomial.polyutils", "random", "rec", "strings", "testing", "typing"),
    ),
    "pandas": (
        *("api.executors", "api.extensions", "api.indexers", "api.interchange", "api.types", "api.typing", "arrays"),
        *("errors", "io.formats.style", "io.json", "plotting", "testing", "tseries.frequencies", "tseries.holiday"),
        "tseries.offsets",
    ),
}
"""Packages whose documentation says which of their modules are public. Of others, all without a private part are."""

PREFERRED_CLASSES = ("pandas.DataFrame", "pandas.Series", "numpy.polynomial.Polynomial")
"""Of several classes that inherit a method from a private base, those where people look for it, best first."""

HIDDEN_NAMES = frozenset({"imp.SourcelessFileLoader", "pandas.plotting.PlotAccessor", "socket.SocketType"})
"""Public names that nobody uses: their objects have better ones, such as `pandas.DataFrame.plot`."""
