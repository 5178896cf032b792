"""The page. Formatting first (answers to HTML, no Gradio), then layout and wiring, then what starts it.

search/ compare/ hood/ your_data/ benchmarks/   one folder per view; `view` places it and answers its events
page, frame, theme                              the whole page, what surrounds the views, colours and fonts
asking, knobs, address                          query and choice of index; settings; the page's address, and back
answering, api                                  from events to the open view; the endpoints for programs
request_limits                                  what one request may cost
server/                                         HTTP around the page: refusals, headers, health, metrics
notes                                           which index, its settings, and the progress of the next one
markup                                          untrusted text to safe HTML; numbers, messages
visit                                           what one visitor did, in that visitor's session only
public_link, quick_import                       `--share`; importing Gradio faster

Nothing is imported here, so that formatting can be used without loading Gradio.
"""
