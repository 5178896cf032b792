"""Sources of documents, one module per source.

A source yields Arrow record batches whose first five columns are always the same:

    text     string  what is embedded and searched; null or blank rows are dropped by the indexer and counted
    body     string  what is shown: code, or a passage; may be null
    url      string  where the document lives; may be null
    group    string  rows with the same group are one hit (all snippets of one question); may be null
    quality  double  breaks ties between equal scores, higher first; may be null

followed by the source's own columns, unchanged.
"""
