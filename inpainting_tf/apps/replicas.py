"""What answers the server's requests: replicas on Ray Serve, or threads of this process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

import anyio

from inpainting_tf import environment
from inpainting_tf.apps.repairer import Model, Repairer, Server
from inpainting_tf.apps.requests import Refused, refusal
from inpainting_tf.photographs import cluster

_NAME = "repair"
_ENDED = "The process that repaired this picture ended: try again, and with less if it does so again."


class Here(Server):
    """A `Repairer` in threads of this process.

    Args:
        repairer: what answers.
        at_once: threads.
    """

    def __init__(self, repairer: Repairer, at_once: int = 1) -> None:
        self._repairer, self._limiter = repairer, anyio.CapacityLimiter(at_once)

    async def __call__(self, task: str, *given: Any) -> Any:
        return await anyio.to_thread.run_sync(getattr(self._repairer, task), *given, limiter=self._limiter)

    async def ready(self) -> bool:
        return True


class Replica:
    """The same in a process of Ray Serve, with its errors as results."""

    def __init__(self, model: Model) -> None:
        repairer = Repairer(model)
        repairer.warm()
        self._here = Here(repairer, model.at_once)

    async def __call__(self, task: str, given: tuple[Any, ...]) -> Any:
        try:
            return await self._here(task, *given)
        except Exception as error:
            return refusal(error)


class Replicas(Server):
    """Processes of Ray Serve, of which one that ends is replaced.

    Args:
        handle: of their deployment.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def __call__(self, task: str, *given: Any) -> Any:
        from ray.exceptions import RayActorError
        from ray.serve.exceptions import DeploymentUnavailableError

        try:
            result = await self._handle.remote(task, given)
        except (RayActorError, DeploymentUnavailableError) as error:
            raise Refused(503, _ENDED) from error
        if isinstance(result, Refused):
            raise result
        return result

    async def ready(self) -> bool:
        return await asyncio.to_thread(_running) > 0


@contextlib.contextmanager
def replicas(model: Model, count: int, address: str | None = None) -> Iterator[Replicas]:
    """Starts replicas for as long as the block runs, which begins when they are ready.

    Args:
        model: what each loads.
        count: how many.
        address: of a Ray cluster; None: processes of this machine.

    Raises:
        InputError: Ray Serve is not installed, or the cluster cannot be reached.
    """
    serve = environment.needed("ray.serve", "serve")
    with cluster.connected(address, max(count, os.cpu_count() or 1)):
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        try:
            serve.start(proxy_location="Disabled", logging_config={"log_level": "ERROR"})
            deployment = serve.deployment(
                num_replicas=count,
                max_ongoing_requests=model.at_once,
                health_check_period_s=1,
                ray_actor_options={"num_cpus": 1},
                graceful_shutdown_timeout_s=30,
            )(Replica)
            yield Replicas(serve.run(deployment.bind(model), name=_NAME, route_prefix=None))
        finally:
            serve.shutdown()


def _running() -> int:
    """How many replicas run."""
    from ray import serve

    known = serve.status().applications.get(_NAME)
    states: list[dict[Any, int]] = (
        [each.replica_states for each in known.deployments.values()] if known else []
    )
    return sum(each.get("RUNNING", 0) for each in states)
