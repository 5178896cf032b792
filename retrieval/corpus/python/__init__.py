"""The documentation of the interpreter this runs on: its standard library and chosen packages, function by function.

catalogue   what a program cannot find out: what is public, and what must not run
modules     the public modules, found without importing any
probe       the program that imports them; `describe` is its half that inspects objects
child       runs that program in its own process
runtime     survives crashes of that process, and collects what it reports
source      what the source says, read with `ast`
names       one public name for every object
wording     a docstring as the text that is searched and the body that is shown
urls        the official page of a name
corpus      all of it, as rows
"""
