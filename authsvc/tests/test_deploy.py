"""The files in deploy/: programs accept them, and two nodes behind nginx restart without a failed request."""

import json
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from django.urls import resolve

from accounts.tests.tools import PASSWORD
from audit.tests.test_streaming import certificate
from authsvc.configuration.env import SECRETS, Environment
from authsvc.tests.nodes import HOST, Cluster, cluster, follow_guide, installed, nginx_configuration

__all__ = ["certificate"]

# In one process of pytest, which starts the nodes once.
pytestmark = [pytest.mark.any_database, pytest.mark.slow, pytest.mark.xdist_group("nodes")]

DEPLOY: Path = settings.BASE_DIR / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
VARIABLES = {name.upper() for name in Environment.model_fields} | {f"{name.upper()}_FILE" for name in SECRETS}
# A body that is refused before a password is hashed: a POST that nginx may not repeat.
NO_JSON = b"{"


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/authsvc", str(settings.BASE_DIR))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    files = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run([installed("systemd-analyze"), "verify", *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.stem)
def test_every_service_is_confined(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    for setting in ("User=authsvc", "NoNewPrivileges=true", "ProtectSystem=strict", "CapabilityBoundingSet=\n"):
        assert setting in text


def test_nginx_accepts_its_configuration(tmp_path: Path, certificate: Path) -> None:
    file = nginx_configuration(tmp_path, certificate, [8001, 8002], 8003, 8004)
    done = subprocess.run(
        [installed("nginx"), "-t", "-c", str(file), "-p", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the commands of docs/production.md have set up."""
    return follow_guide(tmp_path_factory.mktemp("etc") / "authsvc")[0]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str], certificate: Path) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("nodes"), certificate, variables) as started:
        yield started


def test_what_readme_prints_answers_behind_nginx(nodes: Cluster) -> None:
    login = json.dumps({"username": "root", "password": PASSWORD}).encode()
    status, body = nodes.call("POST", "/api/auth/login", login)
    # An administrator enrols a second factor first.
    answer = json.loads(body)
    assert (status, answer["code"]) == (403, "second_factor_enrollment_required")
    bearer = {"Authorization": f"Bearer {answer['mfa_token']}"}
    form = json.dumps({"password": PASSWORD}).encode()
    assert nodes.call("POST", "/api/auth/mfa/totp", form, headers=bearer)[0] == 201
    status, body = nodes.call("POST", "/api/auth/login", login, tls=False)
    assert (status, json.loads(body)["code"]) == (426, "https_required")


def test_a_body_over_the_limit_is_refused_in_the_words_of_the_contract(nodes: Cluster) -> None:
    status, body = nodes.call("POST", "/api/auth/login", b" " * (2 * 2**20 + 1))
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")


def test_the_metrics_are_not_behind_nginx_and_cover_the_processes_of_a_node(
    nodes: Cluster, variables: dict[str, str]
) -> None:
    token = {"Authorization": f"Bearer {Path(variables['METRICS_TOKEN_FILE']).read_text('utf-8').strip()}"}
    assert nodes.call("GET", "/metrics", headers=token)[0] == 404
    of_two_processes = nodes.nodes[0]
    secure = {"Host": HOST, "X-Forwarded-Proto": "https"}
    for _ in range(20):
        assert of_two_processes.get("/hospital/api/auth/profile", secure)[0] == 401
    # The other process counts in batches.
    found, deadline = "", time.monotonic() + 10
    while 'operation="profile",status="401"} 20.0\n' not in found:
        assert time.monotonic() < deadline, found
        status, found = of_two_processes.get("/metrics", token)
        assert status == 200


def test_every_line_of_a_node_is_an_object(nodes: Cluster) -> None:
    nodes.call("GET", "/healthz")
    lines = [json.loads(line) for node in nodes.nodes for line in node.log.read_text("utf-8").splitlines()]
    assert {"gunicorn.error", "authsvc.access"} <= {line["logger"] for line in lines}


def test_nodes_restart_one_after_the_other_without_a_failed_request(nodes: Cluster) -> None:
    answers, stop = Counter[int](), threading.Event()

    def ask() -> None:
        # Without a pause the requests would take longer from the nodes than their starts.
        while not stop.wait(0.02):
            answers[nodes.call("POST", "/api/auth/login", NO_JSON)[0]] += 1

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for node in nodes.nodes:
        before = answers[400]
        node.stop()
        node.start()
        assert node.get("/healthz", {})[0] == 200
        assert answers[400] > before
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers) == {400}


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


def workloads() -> Iterator[dict[str, Any]]:
    """Yield the pod of each workload."""
    for document in documents("kubernetes/authsvc.yaml") + documents("kubernetes/migrate.yaml"):
        spec = document.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield spec["template"]["spec"]


def commands() -> Iterator[list[str]]:
    services = documents("compose.yaml")[0]["services"].values()
    yield from (service["command"] for service in services if "manage.py" in service.get("command", []))
    yield from (pod["containers"][0]["command"] for pod in workloads() if "command" in pod["containers"][0])


def test_manifests_and_the_example_name_variables_and_commands_that_exist() -> None:
    (config,) = (
        document["data"] for document in documents("kubernetes/authsvc.yaml") if document["kind"] == "ConfigMap"
    )
    example = re.findall(r"^#? ?([A-Z_]+)=", (DEPLOY / "authsvc.env.example").read_text("utf-8"), re.MULTILINE)
    named = {*config, *example, *documents("compose.yaml")[0]["x-authsvc"]["environment"]}
    assert named - VARIABLES == set()
    assert [command for command in commands() if command[2] not in get_commands()] == []
    assert len(list(commands())) == 6


def test_every_pod_is_confined_and_one_job_migrates() -> None:
    pods = list(workloads())
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["containers"][0]["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert sum("migrate" in pod["containers"][0].get("command", []) for pod in pods) == 1


def test_every_reference_in_the_kubernetes_manifests_has_its_object() -> None:
    objects = documents("kubernetes/authsvc.yaml") + documents("kubernetes/migrate.yaml")
    (config,) = (each for each in objects if each["kind"] == "ConfigMap")
    for pod in workloads():
        (container,) = pod["containers"]
        volumes = [volume["name"] for volume in pod["volumes"]]
        assert [mount["name"] for mount in container["volumeMounts"]] == volumes
        assert container["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
    deployments = [each["spec"] for each in objects if each["kind"] == "Deployment"]
    for spec in deployments:
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    labels = [spec["template"]["metadata"]["labels"] for spec in deployments]
    for each in objects:
        if each["kind"] == "PodDisruptionBudget":
            assert each["spec"]["selector"]["matchLabels"] in labels
        if each["kind"] == "Service":
            chosen = deployments[labels.index(each["spec"]["selector"])]["template"]["spec"]["containers"][0]
            assert [port["targetPort"] for port in each["spec"]["ports"]] == [port["name"] for port in chosen["ports"]]
    comment = (DEPLOY / "kubernetes/authsvc.yaml").read_text("utf-8")
    made = set(re.findall(r"--from-file=(\w+)", comment))
    assert {path.rpartition("/")[2] for name, path in config["data"].items() if name.endswith("_FILE")} == made


def test_every_reference_in_the_compose_file_has_its_object() -> None:
    (compose,) = documents("compose.yaml")
    services = compose["services"]
    used = {secret for service in services.values() for secret in service.get("secrets", [])}
    assert used == set(compose["secrets"])
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()
        files = [value for name, value in service["environment"].items() if name.endswith("_FILE")]
        assert {path.removeprefix("/run/secrets/") for path in files} == set(service["secrets"])
        named = [volume.partition(":")[0] for volume in service.get("volumes", [])]
        assert set(named) <= compose["volumes"].keys()


def test_the_probes_ask_paths_that_exist() -> None:
    web = next(pod["containers"][0] for pod in workloads() if "readinessProbe" in pod["containers"][0])
    paths = [web[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")]
    assert [resolve(path).func.__name__ for path in paths] == ["healthz", "healthz", "readyz"]


def test_the_image_copies_what_the_service_imports() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert [source for source in sources if not (settings.BASE_DIR / source).exists()] == []
    assert {"accounts", "audit", "authsvc", "templates", "manage.py", "pyproject.toml"} <= sources
