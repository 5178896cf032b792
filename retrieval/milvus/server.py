"""The connection to a Milvus server. The only module that imports pymilvus; its errors become ours here.

Every call has a timeout. pymilvus retries within that time while the server cannot be reached.
"""

from __future__ import annotations

import logging
import os
import statistics
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from retrieval.errors import DependencyError, RetrievalError
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.faults import our_error
from retrieval.milvus.settings import ConnectionSettings

if TYPE_CHECKING:
    from pymilvus import MilvusClient

INSTALL = "python -m pip install pymilvus==3.0.2"
_PROBES = 5
_PROBE_S = 5.0
"""A server that takes longer for an empty call counts as not answering."""
_LONG_S = 120.0
"""For calls that write, or wait for writes."""
_AT_ONCE = "Eventually"
"""A complete index does not change: a search need not wait for the last write."""
NOTHING: Mapping[str, int] = MappingProxyType({})


class Hits(NamedTuple):
    """The entities that a search found for one query."""

    keys: Sequence[int]
    distances: Sequence[float]
    codes: bytes
    """Those of all of them, one after the other."""


class Server:
    """One connection. Safe to use from many threads."""

    def __init__(self, address: MilvusAddress, settings: ConnectionSettings | None = None) -> None:
        """Connects; the settings are those of the environment unless they are given.

        Raises:
            DependencyError: if pymilvus is not installed.
            EngineError: if the server does not answer, or refuses the token.
        """
        try:
            import pymilvus
        except ImportError as error:
            raise DependencyError(f"an index in Milvus needs pymilvus: {INSTALL}") from error
        # It also logs every error that it raises; errors are reported where they matter.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self.address = address
        self._settings = settings or ConnectionSettings.read(os.environ)
        self._trips_s: deque[float] = deque(maxlen=_PROBES)
        scheme = "https" if self._settings.is_secure else "http"
        with self._mapped():
            self._client: MilvusClient = pymilvus.MilvusClient(
                uri=f"{scheme}://{address.server}",
                dedicated=True,
                timeout=self._settings.timeout_s,
                **self._settings.for_client(),
            )
            self.version = str(self._client.get_server_version(timeout=self._settings.timeout_s))

    def __repr__(self) -> str:
        return f"Server({self.address.server}, Milvus {self.version})"

    def probe(self) -> None:
        """Makes an empty call, and remembers how long it took.

        Raises:
            EngineError: if it fails.
        """
        start = time.perf_counter()
        with self._mapped():
            self._client.get_server_version(timeout=min(_PROBE_S, self._settings.timeout_s))
        self._trips_s.append(time.perf_counter() - start)

    @property
    def round_trip_s(self) -> float:
        """Returns the time of an empty call: the median of the last ones; 0 before the first."""
        return statistics.median(self._trips_s) if self._trips_s else 0.0

    def properties(self) -> Mapping[str, str] | None:
        """Returns the properties of the collection, or None when there is no such collection."""
        if not self._call("has_collection"):
            return None
        return {str(key): str(value) for key, value in self._call("describe_collection")["properties"].items()}

    def set_properties(self, properties: Mapping[str, str]) -> None:
        """Sets properties of the collection; others stay as they are."""
        self._call("alter_collection_properties", properties=dict(properties))

    def dimensions(self) -> Mapping[str, int]:
        """Returns the fields of the collection, with their dimension; 0 for those that are no vectors."""
        fields = self._call("describe_collection")["fields"]
        return {field["name"]: int(field.get("params", {}).get("dim", 0)) for field in fields}

    def search(
        self, codes: Sequence[bytes], field: str, limit: int, parameters: Mapping[str, int], partition: str
    ) -> list[Hits]:
        """Returns the nearest entities to each code by Hamming distance, with the codes in `field`."""
        answers = self._call(
            "search", data=list(codes), anns_field=field, limit=limit, output_fields=[field],
            search_params={"metric_type": "HAMMING", "params": dict(parameters)}, partition_names=[partition],
            consistency_level=_AT_ONCE,
        )  # fmt: skip
        return [Hits(hits.ids, hits.distances, _codes_of(hits, len(codes[0]))) for hits in answers]

    def rows(self, expression: str, fields: Sequence[str], partitions: Sequence[str]) -> list[dict[str, Any]]:
        """Returns the fields of the entities that an expression holds for, in no order."""
        found: list[dict[str, Any]] = self._call(
            "query", filter=expression, output_fields=list(fields), partition_names=list(partitions),
            consistency_level=_AT_ONCE,
        )  # fmt: skip
        return found

    def count(self, partition: str) -> int:
        """Returns how many entities a partition has, including everything written before."""
        [answer] = self._call(
            "query", _LONG_S, filter="", output_fields=["count(*)"], partition_names=[partition],
            consistency_level="Strong",
        )  # fmt: skip
        return int(answer["count(*)"])

    def create(self, fields: Sequence[Mapping[str, Any]], properties: Mapping[str, str], num_shards: int) -> None:
        """Makes the collection, empty; each field is as `add_field` of pymilvus takes it, with its type by name."""
        import pymilvus

        schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        for field in fields:
            schema.add_field(**{**field, "datatype": pymilvus.DataType[field["datatype"]]})
        self._call("create_collection", schema=schema, num_shards=num_shards, properties=dict(properties))

    def drop(self) -> None:
        """Drops the collection."""
        self._call("drop_collection", _LONG_S)

    def add_partition(self, name: str) -> None:
        """Creates a partition, unless it exists."""
        if not self._call("has_partition", partition_name=name):
            self._call("create_partition", partition_name=name)

    def insert(self, entities: Sequence[dict[str, Any]], partition: str) -> None:
        """Writes entities; those with the same key are not replaced."""
        self._call("insert", _LONG_S, data=list(entities), partition_name=partition)

    def delete(self, keys: Sequence[int]) -> None:
        """Deletes the entities with these keys, in all partitions."""
        self._call("delete", _LONG_S, ids=list(keys))

    def flush(self) -> None:
        """Waits until everything that was written is sealed."""
        self._call("flush", _LONG_S)

    def add_index(
        self, field: str, kind: str, metric: str | None = None, parameters: Mapping[str, int] = NOTHING
    ) -> None:
        """Makes the server index a field, if it does not yet; returns at once."""
        import pymilvus

        wanted = pymilvus.MilvusClient.prepare_index_params()
        named = {} if metric is None else {"metric_type": metric}
        wanted.add_index(field, index_type=kind, index_name=field, params=dict(parameters), **named)
        self._call("create_index", _LONG_S, index_params=wanted, sync=False)

    def num_indexed(self, field: str) -> int:
        """Returns how many entities the index of a field has."""
        about = self._call("describe_index", index_name=field)
        return int(about["total_rows"]) - int(about["pending_index_rows"])

    def bring_into_memory(self, *, wait: bool) -> None:
        """Makes the server load the collection into its memory, where it can be searched."""
        self._call("load_collection", _async=not wait)

    def release(self) -> None:
        """Makes the server release the collection from its memory; its data stays."""
        self._call("release_collection")

    def percent_in_memory(self) -> int:
        """Returns how much of the collection is in the server's memory."""
        state = self._call("get_load_state")
        return 100 if state["state"].name == "Loaded" else min(99, int(state.get("progress", 0)))

    def set_password(self, user: str, old: str, new: str) -> None:
        """Changes the password of a user; `user:new` is the token from then on."""
        with self._mapped():
            self._client.update_password(user, old, new, timeout=self._settings.timeout_s)

    def _call(self, method: str, timeout_s: float | None = None, **arguments: Any) -> Any:
        """Returns what a method of pymilvus's client returns for the collection.

        Raises:
            RetrievalError: what `our_error` makes of a failure.
        """
        timeout = max(self._settings.timeout_s, timeout_s or 0.0)
        with self._mapped():
            ask = getattr(self._client, method)
            return ask(collection_name=self.address.collection, timeout=timeout, **arguments)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except RetrievalError:
            raise
        except Exception as error:  # noqa: BLE001 - pymilvus and gRPC raise what they like
            raise our_error(error, self.address, self._settings) from None


def _codes_of(hits: Any, num_bytes: int) -> bytes:
    """Returns the codes of the hits of one query from the raw answer: pymilvus would make an object of each."""
    if not len(hits.ids):
        return b""
    [field] = hits.lazy_field_data
    codes: bytes = field.vectors.binary_vector
    return codes[hits.start * num_bytes : (hits.start + len(hits.ids)) * num_bytes]
