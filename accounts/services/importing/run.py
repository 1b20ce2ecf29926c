"""One import, step by step. Each step that takes long yields how far it is."""

import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import islice

from accounts.models import ImportedAccount
from accounts.services.importing import planning, writing
from accounts.services.importing.candidates import candidate
from accounts.services.importing.errors import ImportRefused
from accounts.services.importing.import_plan import AT_ONCE, COMING, ImportPlan, Outcome, PlannedAccount
from accounts.services.importing.planning import OnConflict
from accounts.services.importing.sources import Source
from accounts.services.importing.systems import FormerSystem
from accounts.services.importing.writing import WriteProgress
from audit.origin import Origin


@dataclass(slots=True)
class ImportRun:
    """An import of a source. `key` names it in the trail."""

    system: FormerSystem
    source: Source
    on_conflict: OnConflict
    import_plan: ImportPlan
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def read(self) -> Iterator[int]:
        """Read all rows; yield how many so far. Raises ImportRefused."""
        rows = enumerate(self.source.people(), start=1)
        count = 0
        while batch := list(islice(rows, AT_ONCE)):
            self.import_plan.add(candidate(number, row, self.system) for number, row in batch)
            count += len(batch)
            yield count
        self.import_plan.index()

    def plan(self, *, reserve: bool) -> None:
        """Decide what becomes of each row. Raises ImportRefused.

        Ids are reserved with `reserve`, unless the plan is refused by `require_accepted`.
        """
        planning.plan(self.import_plan, self.system, self.on_conflict)
        writing.assign_ids(self.import_plan, reserve=reserve and not self.refused())

    def refused(self) -> int:
        """Return how many rows keep the import from being done: all that cannot come, unless they may be left out."""
        counts = self.import_plan.counts()
        return counts[Outcome.CONFLICT] + counts[Outcome.MALFORMED] if self.on_conflict is OnConflict.STOP else 0

    def coming(self) -> int:
        """Return how many people are to be imported."""
        counts = self.import_plan.counts()
        return sum(counts[outcome] for outcome in COMING)

    def write(self, origin: Origin, described_as: str) -> Generator[WriteProgress, None, None]:
        """Write everything in one transaction; yield how far it is. Raises ImportRefused.

        `described_as` is what the trail says of the source: without a password.
        """
        if refused := self.refused():
            raise ImportRefused(f"{refused} rows collide or are malformed. Nothing was imported.")
        yield from writing.write(
            self.import_plan, self.source, self.system, writing.ImportContext(self.key, origin, described_as)
        )

    def is_written(self) -> bool:
        """Return whether the accounts are in the database, for instance after an interruption at the very end."""
        first = next(self.import_plan.people(*COMING), [])
        return bool(first) and ImportedAccount.objects.filter(digest=first[0].digest).exists()

    def people(self) -> Iterator[PlannedAccount]:
        """Yield every row of the plan."""
        for people in self.import_plan.people(*Outcome):
            yield from people
