"""What runs the twin on servers, against the program: the names it uses exist, and nothing in it is a secret."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.serve import AFTER_DRAIN_S
from agent.settings import Settings
from tests.unit.test_house import ROOT, files

INFRA = ROOT / "infra"
CHART = INFRA / "helm" / "twin"
COMPOSE: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text("utf-8"))
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
TEXTS = [path for path in INFRA.rglob("*") if path.is_file()]
OURS = ("serve", "worker")
NAMED = "TWIN_HOME", "TWIN_LOG", "TWIN_IMAGE"
"""Variables that are no settings."""
UNIT_S = {"s": 1, "m": 60, "h": 3600}


def read(*names: str) -> str:
    return INFRA.joinpath(*names).read_text("utf-8")


def seconds(text: str) -> int:
    return int(text[:-1]) * UNIT_S[text[-1]]


def code(folder: str) -> str:
    return "\n".join(path.read_text("utf-8") for path in files(".py") if path.is_relative_to(ROOT / folder))


def test_every_setting_that_is_set_exists() -> None:
    set_somewhere = {name for path in TEXTS for name in re.findall(r"\bTWIN_[A-Z_]+\b", path.read_text("utf-8"))}
    for name in set_somewhere - {*NAMED, "TWIN_SECTION__KEY"}:
        section, _, key = name.removeprefix("TWIN_").lower().partition("__")
        assert section in Settings.model_fields, name
        assert key in type(Settings.model_fields[section].get_default()).model_fields, name


def test_every_image_is_pinned_to_a_version() -> None:
    images = [service["image"] for service in SERVICES.values()]
    images += re.findall(r"^ARG PYTHON=(.*)$", read("Dockerfile"), re.MULTILINE)
    for image in images:
        named = re.fullmatch(r"\$\{\w+:-(.*)\}", image)
        assert re.search(r":(v?\d+\.\d+|local$)", named[1] if named else image), image
    assert "latest" not in read("helm", "twin", "values.yaml")


def test_the_image_is_made_of_what_is_locked_and_runs_as_nobody() -> None:
    dockerfile = read("Dockerfile")
    assert "--no-deps --require-hashes -r requirements-server.lock" in dockerfile
    assert dockerfile.index("USER 10001:10001") < dockerfile.index("ENTRYPOINT")
    let_in = re.findall(r"^!(.*)$", read("Dockerfile.dockerignore"), re.MULTILINE)
    copied = [
        path
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
        for path in line.split()
    ]
    assert sorted(let_in) == sorted(copied)
    assert all((ROOT / path).exists() for path in copied)


def test_the_lock_of_the_image_agrees_with_the_lock_of_the_program() -> None:
    def locked(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9._-]+==\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))

    assert locked("requirements.lock") <= locked("requirements-server.lock")
    assert re.search(
        r"^livekit-agents==1\.8\.9 ", (ROOT / "requirements-server.lock").read_text("utf-8"), re.MULTILINE
    )


def test_no_secret_stands_in_any_file() -> None:
    given = re.findall(r"^([A-Z_]+)=(.*)$", read("twin.env.example"), re.MULTILINE)
    secret = {name for name, _ in given if re.search("KEY|SECRET|PASSWORD|TOKEN", name)}
    assert {"LIVEKIT_API_SECRET", "POSTGRES_PASSWORD", "REDIS_PASSWORD"} <= secret
    assert not any(value for name, value in given if name in secret)
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|SECRET|PASSWORD|__URL", name):
                assert "${" in value, name
    assert not re.search(r"kind:\s*Secret\b", "\n".join(path.read_text("utf-8") for path in CHART.rglob("*.yaml")))


def test_nothing_is_published_beyond_this_machine() -> None:
    for name, service in SERVICES.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert service.get("network_mode", "host" if name in OURS else "") in ("host", ""), name
    assert "127.0.0.1" in SERVICES["serve"]["command"]
    livekit = yaml.safe_load(
        SERVICES["livekit"]["environment"]["LIVEKIT_CONFIG"].replace("${", "").replace('}"', '"')
    )
    assert livekit["bind_addresses"] == ["127.0.0.1"]
    assert SERVICES["sip"]["profiles"] == ["phone"], "which is reachable from everywhere"


def test_whatever_is_stopped_has_the_time_to_let_its_calls_end() -> None:
    for name, drain in (("serve", "TWIN_LIMITS__DRAIN_S"), ("worker", "TWIN_WORKER__DRAIN_S")):
        service = SERVICES[name]
        assert seconds(service["stop_grace_period"]) >= int(service["environment"][drain]) + AFTER_DRAIN_S
        template = read("helm", "twin", "templates", f"{name}.yaml")
        grace = re.search(
            r"terminationGracePeriodSeconds: \{\{ add \.Values\.\w+\.drainSeconds (\d+) \}\}", template
        )
        assert grace
        assert int(grace[1]) >= AFTER_DRAIN_S + 10


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "sip"])
def test_every_service_says_whether_it_is_well(name: str) -> None:
    assert "healthcheck" in SERVICES[name] or (name == "serve" and "HEALTHCHECK" in read("Dockerfile"))


def test_the_ports_are_those_of_the_program() -> None:
    defaults = Settings()
    assert f"EXPOSE {defaults.server.port}" in read("Dockerfile")
    assert VALUES["serve"]["port"] == defaults.server.port
    assert VALUES["worker"]["port"] == defaults.worker.port
    assert f"127.0.0.1:{defaults.worker.port}/healthz" in SERVICES["worker"]["healthcheck"]["test"][-1]
    for name in OURS:
        assert set(re.findall(r"path: (/\w+), port", read("helm", "twin", "templates", f"{name}.yaml"))) == {
            "/healthz",
            "/readyz",
        }


def test_the_image_s_user_is_that_of_the_chart() -> None:
    assert "runAsUser: 10001" in read("helm", "twin", "templates", "_helpers.tpl")


def metrics_used() -> Iterator[tuple[str, str]]:
    board = json.loads(read("grafana", "twin.json"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for group in yaml.safe_load(read("prometheus", "rules.yaml"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for name in ("serve", "worker"):
        yield (
            name,
            re.findall(r'"metric" "(\w+)"', read("helm", "twin", "templates", "scaling.yaml"))[OURS.index(name)],
        )


def test_every_metric_that_is_shown_or_watched_exists() -> None:
    told = set(re.findall(r'"(twin_\w+)"', code("agent")))
    phone = {f"twin_phone_{name}_total" for name in re.findall(r'counters\["(\w+)"\]', code("channels/twilio"))}
    for where, expression in metrics_used():
        for name in re.findall(r"\btwin_\w+", expression):
            assert name in told | phone, f"{where}: {name}"


def test_every_alert_says_what_is_wrong() -> None:
    for group in yaml.safe_load(read("prometheus", "rules.yaml"))["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in ("page", "warn", "info")


def test_every_value_of_the_chart_is_used() -> None:
    templates = "\n".join(path.read_text("utf-8") for path in (CHART / "templates").iterdir())

    def used(values: dict[str, Any], path: str) -> None:
        for name, value in values.items():
            whole = f"{path}.{name}"
            if isinstance(value, dict) and value and f"{whole} " not in templates and f"{whole})" not in templates:
                used(value, whole)
            else:
                assert re.search(
                    rf"\{whole}\b|\$scaling\.{name}\b|\.Values\.\w+\.autoscaling\.{name}\b", templates
                ), whole

    used(VALUES, ".Values")


@pytest.mark.parametrize(
    "more",
    [
        "",
        "serve.autoscaling.enabled=true,worker.autoscaling.enabled=true,ingress.enabled=true,metrics.podMonitor=true",
    ],
)
def test_the_chart_renders(more: str, tmp_path: Path) -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("needs helm on the PATH")
    command = [
        helm,
        "template",
        "some",
        str(CHART),
        "--kube-version",
        "1.31.0",
        *(["--set", more] if more else []),
    ]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    parts = [part for part in yaml.safe_load_all(rendered) if part]
    kinds = [part["kind"] for part in parts]
    assert kinds.count("StatefulSet") == 2
    assert kinds.count("PodDisruptionBudget") == 2
    assert kinds.count("HorizontalPodAutoscaler") == (2 if more else 0)
    for part in parts:
        if part["kind"] == "StatefulSet":
            (container,) = part["spec"]["template"]["spec"]["containers"]
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert part["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"]


def furnished(given: Path, home: Path) -> None:
    """What the chart's first container does, in other folders."""
    script = (
        read("helm", "twin", "templates", "_helpers.tpl")
        .split("    - |\n", 1)[1]
        .split("  securityContext:", 1)[0]
    )
    moved = script.replace("/given/", f"{given}/").replace("cd /var/lib/twin", f"cd {home}")
    subprocess.run(["sh", "-ec", moved], check=True, capture_output=True)


def test_every_pod_marks_with_the_key_of_the_secret_and_keeps_the_one_it_had_made(tmp_path: Path) -> None:
    given, home = tmp_path / "given", tmp_path / "home"
    given.mkdir()
    home.mkdir()
    (given / "profile.toml").write_text("name")
    furnished(given, home)
    assert [path.name for path in home.iterdir()] == ["profile.toml"]
    (home / "keys").mkdir()
    key = home / "keys" / "watermark.key"
    key.write_text("its own")
    for shared in ("shared", "shared and rotated"):
        (given / "watermark.key").write_text(shared)
        furnished(given, home)
        assert key.read_text() == shared
        assert not key.stat().st_mode & 0o077
        assert key.with_name("watermark.key.own").read_text() == "its own"
    assert not (home / "watermark.key").exists()
