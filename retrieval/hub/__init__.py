"""Built indexes on the Hugging Face hub: published as data set repositories, and fetched from there.

address.py     hf://datasets/owner/name[@revision]
fetching.py    a repository -> a verified folder in the cache
publishing.py  a folder -> a repository, with a card made from the manifest (card.py)
failures.py    what the client raises -> our errors
"""

from retrieval.hub.address import HubAddress, is_hub_address
from retrieval.hub.fetching import FetchProgress, fetch_bundle, fetched_bundle
from retrieval.hub.publishing import Published, PublishOptions, publish_bundle

__all__ = [
    "FetchProgress",
    "HubAddress",
    "PublishOptions",
    "Published",
    "fetch_bundle",
    "fetched_bundle",
    "is_hub_address",
    "publish_bundle",
]
