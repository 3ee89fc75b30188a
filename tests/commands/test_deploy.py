"""The container and the manifests for Kubernetes: names, ports, paths and flags are those of the server."""

from __future__ import annotations

import json
import re

import pytest
from running import ROOT

from inpainting_tf.commands import cli, serve

yaml = pytest.importorskip("yaml", reason="needs PyYAML")

DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def manifests() -> dict[str, dict]:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))
    assert all({"apiVersion", "kind", "metadata", "spec"} == each.keys() for each in documents)
    return {each["kind"]: each for each in documents}


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) of each line of the Dockerfile."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def container(manifests) -> dict:
    (found,) = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    return found


def test_the_container_starts_the_server(instructions, manifests):
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    names = [name for name, _ in instructions]
    assert names[0] == "FROM" and set(names) <= known
    given = dict(instructions)
    entry, usual = json.loads(given["ENTRYPOINT"]), json.loads(given["CMD"])
    assert entry[:2] == ["inpainting-tf", "serve"]
    for flags in (usual, container(manifests)["args"]):
        args = cli.parse(serve, [*entry[2:], *flags])
        assert (args.host, str(args.port)) == ("0.0.0.0", given["EXPOSE"])
    for name in re.findall(r"COPY (\S+\.txt)|-r (\S+)", (DEPLOY / "Dockerfile").read_text(encoding="utf-8")):
        assert (ROOT / "".join(name)).is_file()
    user = re.search(r"--uid (\d+)", " ".join(text for _, text in instructions))[1]
    assert manifests["Deployment"]["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == int(user)


def test_the_manifests_belong_together(manifests):
    spec, service = manifests["Deployment"]["spec"], manifests["Service"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"] == service["selector"] == labels
    target = manifests["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", manifests["Deployment"]["metadata"]["name"])
    (port,) = container(manifests)["ports"]
    assert service["ports"][0]["targetPort"] == port["name"]
    volumes = {each["name"] for each in spec["template"]["spec"]["volumes"]}
    assert {each["name"] for each in container(manifests)["volumeMounts"]} == volumes


def test_probes_and_scraping_use_paths_of_the_server(manifests):
    fastapi = pytest.importorskip("fastapi", reason="needs the extra `serve`")
    from inpainting_tf.apps import api, replicas

    app = api.application(replicas.Here(None), api.Settings("photos"))
    paths = set(app.openapi()["paths"])
    pod = manifests["Deployment"]["spec"]["template"]
    probes = [
        container(manifests)[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")
    ]
    assert [each["path"] for each in probes] == ["/readyz", "/readyz", "/healthz"]
    assert {each["path"] for each in probes} | {pod["metadata"]["annotations"]["prometheus.io/path"]} <= paths
    assert isinstance(app, fastapi.FastAPI)


def test_what_runs_is_finished_before_the_pod_is_killed(manifests):
    args = cli.parse(serve, container(manifests)["args"])
    grace = manifests["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= args.answer_seconds + args.receive_seconds
