"""An index in a Milvus collection: `load` writes it, `collection` reads it, `server` is the connection."""
