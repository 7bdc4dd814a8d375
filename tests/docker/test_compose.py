"""The compose file and the Dockerfile against the code: what they name exists. No engine is needed for that."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from challenger.cli import CHALLENGER
from rollup.cli.app import ROLLUP, Program, make_app
from rollup.config import DevnetConfig
from tests.support.source import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROGRAMS = {"rollup": ROLLUP, "challenger": CHALLENGER}


def program_of(service: dict[str, Any]) -> Program:
    """The program that a service's image starts."""
    target = service["build"]["target"]
    stage = re.search(rf"^FROM base AS {target}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert stage is not None, f"the Dockerfile has no target {target}"
    entry = re.search(r'^ENTRYPOINT \["(\w+)"\]$', stage[1], re.MULTILINE)
    assert entry is not None
    return PROGRAMS[entry[1]]


@pytest.mark.parametrize("name", SERVICES)
def test_every_command_of_the_compose_file_exists_with_all_its_flags(name: str) -> None:
    """The tokens are read as the program itself would read them."""
    service = SERVICES[name]
    function, bound, unknown = make_app(program_of(service)).parse_args(
        service["command"], exit_on_error=False, print_error=False
    )
    assert callable(function)
    assert bound.arguments or service["command"][1:] == []
    assert not unknown


def test_the_devnet_has_every_role_and_starts_them_in_order_of_need() -> None:
    """As `make devnet` does."""
    assert list(SERVICES) == ["l1", "deploy", "sequencer", "challenger", "actors"]
    known: set[str] = set()
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= known, f"{name} needs what comes after it"
        known.add(name)


def test_services_find_each_other_and_use_the_ports_of_the_devnet() -> None:
    """Host names are services; ports are the configured ones, open to this machine only."""
    config = DevnetConfig()
    hosts = {match for service in SERVICES.values() for match in re.findall(r"\w+://(\w+):\d+", str(service))}
    assert hosts <= set(SERVICES) | {"127"}
    assert SERVICES["l1"]["ports"] == [f"127.0.0.1:{config.l1_port}:{config.l1_port}"]
    assert SERVICES["sequencer"]["ports"] == [f"127.0.0.1:{config.rpc_port}:{config.rpc_port}"]


def test_volumes_are_declared() -> None:
    """By the compose file, for every service that names one."""
    named = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert named == set(COMPOSE["volumes"])


def test_what_the_dockerfile_copies_is_in_the_checkout_and_not_ignored() -> None:
    """A build would stop at the first file that is missing."""
    ignored = (ROOT / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = [source for line in copies for source in line.split()]
    assert len(sources) >= 6
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored, source
