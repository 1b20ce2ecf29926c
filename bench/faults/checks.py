"""After a fault: compares what was acknowledged with what the service answers and what the database has."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.faults.load import LoadGenerator, SimulatedUser
from bench.faults.servers import Server

_AT_ONCE = 4


def check(load: LoadGenerator, server: Server) -> None:
    """Add to the load's `lost` and `double` what does not agree."""
    people = [person for person in load.people if person.registered]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(lambda person: _ask(load, person), people))
    _compare_rows(load, people, server)


def _ask(load: LoadGenerator, person: SimulatedUser) -> None:
    """Log the person in, and use each of the person's tokens."""
    for session in person.sessions:
        if session.reused:
            continue
        response = load.ask(person, "GET", "me", token=session.access)
        expected = {401} if session.logged_out else {200}
        if response.status not in expected:
            load.lost.append(f"{person.name}: {response.status} with a token after {session}")
    load.log_in(person)


def _compare_rows(load: LoadGenerator, people: list[SimulatedUser], server: Server) -> None:
    users = _counts(server, "SELECT username, COUNT(*) FROM accounts_user GROUP BY username")
    sessions = _counts(server, "SELECT id, generation FROM accounts_session")
    rows = _counts(
        server,
        "SELECT u.username, COUNT(*) FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id GROUP BY 1",
    )
    attempts = _counts(
        server, "SELECT identifier, COUNT(*) FROM audit_loginattempt WHERE status = 'success' GROUP BY identifier"
    )
    for person in people:
        _expect(load, f"accounts {person.name}", users[person.name], 1, 1)
        most = person.logins + person.doubtful_logins
        _expect(load, f"sessions of {person.name}", rows[person.name], person.logins, most)
        _expect(load, f"recorded logins of {person.name}", attempts[person.name], person.logins, most)
        for session in person.sessions:
            least = session.generation
            most = least + 1 if session.doubtful or session.reused else least
            _expect(load, f"generation of {session.id} of {person.name}", sessions[session.id], least, most)


def _expect(load: LoadGenerator, what: str, found: int, least: int, most: int) -> None:
    if found < least:
        load.lost.append(f"{what}: {found} instead of {least}")
    if found > most:
        load.double.append(f"{what}: {found} instead of {most}")


def _counts(server: Server, statement: str) -> Counter[str]:
    rows: list[tuple[Any, ...]] = server.rows(statement)
    return Counter({str(name): number for name, number in rows})
