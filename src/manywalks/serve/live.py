"""A loaded model with all that is told of it, and how a service follows the file system to the next one."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.companions import Companions, companions_of
from manywalks.ensemble.model import Ensemble
from manywalks.ensemble.model_file.archive import model_folder
from manywalks.evaluate.statement.sentences import accuracy_sentences, cautions, sentences, which_molecules
from manywalks.predict.molecule_worker import SMILES
from manywalks.serve.limits import Limits
from manywalks.serve.predicting import Predicting
from manywalks.serve.source import Identity, Source

# seconds between looks for another model, so that it is loaded before the next request
LOOK_S = 1.0


@dataclass
class Live:
    """One version of a model.

    Attributes:
        name: what clients call it.
        version: first digits of its manifest's checksum.
        champion: name of the champion that it is.
        training: the training molecules in the order of the domain's, None where they are not known.
        users: requests that it answers now.
    """

    name: str
    version: str
    champion: str | None
    ensemble: Ensemble
    companions: Companions
    training: list[dict[Any, Any]] | None
    predicting: Predicting
    users: int = 0

    @classmethod
    def load(cls, source: Source, limits: Limits, cores: int) -> "Live":
        """Load a model and warm its workers; a ValueError says why it cannot be served."""
        champion = source.champion()
        with model_folder(source.model()) as folder:
            ensemble = Ensemble.load(folder)
            companions = companions_of(folder, ensemble.about)
            version = files.sha256_bytes((folder / manifest.FILE).read_bytes())[:12]
        known = companions.training(ensemble.domain, ensemble.blocks)
        training = None if known is None else known.to_dict("records")
        predicting = Predicting(ensemble, limits, cores)
        try:
            # compiles what numba compiles, and waits for a worker
            predicting.predict([SMILES + "CCO"]).future.result(timeout=600)
        except BaseException:
            predicting.close()
            raise
        return cls(source.name, version, champion, ensemble, companions, training, predicting)

    @property
    def about(self) -> dict[str, Any]:
        """What an answer says of the model that gave it."""
        data = self.ensemble.about["data"]
        return {
            "model": self.name,
            "version": self.version,
            "champion": self.champion,
            "data_version": data.get("rev") or data["md5"],
        }

    @property
    def endpoints(self) -> dict[str, dict[str, Any]]:
        """Kind and unit by endpoint."""
        return {
            name: {"kind": one["kind"], "unit": one["unit"] if one["kind"] == "regression" else "probability"}
            for name, one in self.ensemble.endpoints.items()
        }

    @property
    def accuracy(self) -> dict[str, str]:
        """How good the model is on test molecules, and what not to trust, by endpoint.

        Not of a model that lacks its verdict.
        """
        known = self.companions.metrics
        return {
            name: " ".join([accuracy_sentences(known[name], name), *cautions(known[name])])
            for name in self.ensemble.endpoints
            if "verdict" in known.get(name, {})  # metrics of former versions have no verdict
        }

    @property
    def promises(self) -> dict[str, str]:
        """The statement on each endpoint in one sentence."""
        found = {}
        for name in self.ensemble.endpoints:
            if name in self.companions.statement:
                of = self.companions.statement[name]
                first, sure, _ = sentences(of, name)[0].partition(" sure.")
                # a reader of the page has not made a split
                over = f"{of['molecules']:,} molecules that it was not trained on"
                found[name] = first.replace(which_molecules(of), over) + sure
        return found

    @property
    def card(self) -> str:
        """The model card, without where the data lay on the machine that trained the model."""
        return self.companions.card.replace(self.ensemble.about["data"]["path"], "the training table")


@dataclass
class Followed:
    """A source, the version of it that answers, and whether a newer one was refused."""

    source: Source
    limits: Limits
    cores: int
    live: Live
    identity: Identity | None
    refused: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ending: set["asyncio.Task[None]"] = field(default_factory=set)

    @classmethod
    def open(cls, source: Source, limits: Limits, cores: int) -> "Followed":
        """Load the first version."""
        identity = source.identity()
        return cls(source, limits, cores, Live.load(source, limits, cores), identity)

    async def current(self) -> Live:
        """The version that lies there now; the former one where that cannot be loaded."""
        if self.source.identity() in (self.identity, None):
            return self.live
        async with self._lock:
            identity = self.source.identity()
            if identity not in (self.identity, None):
                await self._replace()
                self.identity = identity
        return self.live

    @asynccontextmanager
    async def using(self) -> AsyncIterator[Live]:
        """The current version, which is not closed before the block ends."""
        live = await self.current()
        live.users += 1
        try:
            yield live
        finally:
            live.users -= 1

    async def follow(self) -> None:
        """Look for another version now and then."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.current()

    async def _replace(self) -> None:
        """Load what lies there now; requests under way are still answered by the former version."""
        former = self.live
        try:
            self.live = await asyncio.to_thread(Live.load, self.source, self.limits, self.cores)
            self.refused = False
        except Exception as error:  # whatever it is, the former version is whole
            self.refused = True
            print(f"{self.source.name}: the former version goes on answering: {error}", file=sys.stderr)
            return
        print(f"{self.source.name}: version {self.live.version} answers now", file=sys.stderr)
        task = asyncio.create_task(_close_when_unused(former))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _close_when_unused(live: Live) -> None:
    """End a former version's workers once its last request is answered."""
    while live.users:
        await asyncio.sleep(0.2)
    await asyncio.to_thread(live.predicting.close)
