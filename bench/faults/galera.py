"""MariaDB Galera: three servers, of which each takes writes."""

from pathlib import Path

from authsvc.tests.server import free_port
from bench.faults.mariadb import MariaDB

_PROVIDER = "/usr/lib/galera/libgalera_smm.so"
_SERVERS = 3


class _Member(MariaDB):
    name = "Galera"

    def __init__(self, folder: Path, ports: list[int], number: int) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self._ports = ports
        self._own = ports[number]
        self.starts_the_cluster = False

    def command(self) -> list[str]:
        others = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        provider = {"base_port": self._own, "gmcast.listen_addr": f"tcp://127.0.0.1:{self._own}"}
        provider["ist.recv_addr"] = f"127.0.0.1:{free_port()}"
        options = {
            "wsrep-on": "ON",
            "wsrep-provider": _PROVIDER,
            "wsrep-provider-options": ";".join(f"{name}={value}" for name, value in provider.items()),
            "wsrep-cluster-name": "authsvc",
            "wsrep-cluster-address": "gcomm://" if self.starts_the_cluster else f"gcomm://{others}",
            "wsrep-node-address": f"127.0.0.1:{self._own}",
            "wsrep-node-name": f"node{self._own}",
            "wsrep-sst-method": "rsync",
            "wsrep-sst-receive-address": f"127.0.0.1:{free_port()}",
            # Each read sees what every server has committed before: a token of one node serves at the next at once.
            "wsrep-sync-wait": "3",
            "wsrep-slave-threads": "2",
            "binlog-format": "ROW",
            "innodb-autoinc-lock-mode": "2",
        }
        return [*super().command(), *(f"--{name}={value}" for name, value in options.items())]


class Galera(_Member):
    """The first server, and the others of its cluster."""

    def __init__(self, folder: Path) -> None:
        ports = [free_port() for _ in range(_SERVERS)]
        super().__init__(folder, ports, 0)
        self.others = [_Member(folder / f"server{number}", ports, number) for number in range(1, _SERVERS)]

    @property
    def urls(self) -> list[str]:
        return [server.url for server in (self, *self.others)]

    def create(self) -> None:
        self.starts_the_cluster = True
        super().create()
        self.starts_the_cluster = False
        for server in self.others:
            # It copies everything from a member that is there.
            server.run_as_owner("mkdir", "-p", str(server.data))
            server.start()

    def stop(self) -> None:
        for server in self.others:
            server.stop()
        super().stop()
