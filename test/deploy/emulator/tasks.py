"""Runs a Fargate task that somebody starts by hand (RunTask) as a process: its command, its variables, its secrets, and its
log, from the files of this project in the place of the image. Tasks of services are only counted, as in moto."""

import json
import os
import subprocess
import threading
import time

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ecs import models as ecs

import api
import functions

_project = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))


def install():
    run_task = ecs.EC2ContainerServiceBackend.run_task

    def run(self, cluster_str, task_definition_str, *args, **named):
        definition = self.describe_task_definition(task_definition_str)
        tasks = run_task(self, cluster_str, task_definition_str, *args, **named)
        for task in tasks:
            # It runs until its process has ended, however often it is looked at.
            task._transitions = []
            task.containers[0].exitCode = None
            threading.Thread(target=_run, args=(task, definition.container_definitions[0]), daemon=True).start()
        return tasks

    ecs.EC2ContainerServiceBackend.run_task = run
    # moto asks for the name of a task's interface, and gives it one in some networks only.
    NetworkInterface.private_dns_name = ""
    # moto adds up what containers reserve of a machine; on Fargate they say nothing, the task has its own.
    nothing = {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}
    ecs.EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(lambda definition: dict(nothing))


def _run(task, container):
    region = task.region_name
    try:
        environment = _environment(container, region)
    except Exception as error:
        # What ECS says where a secret is not there.
        task.stopped_reason = f"ResourceInitializationError: unable to pull secrets: {error}"
        task.status = "STOPPED"
        return
    overrides = (task.overrides.get("containerOverrides") or [{}])[0]
    command = overrides.get("command") or container.get("command")
    if command[0] == "node":
        command = [functions.environment["node"], *command[1:]]
    done = subprocess.run(
        command, cwd=_project, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        _save_log(container["logConfiguration"]["options"], container["name"], task, done.stdout.decode(errors="replace"))
    finally:
        task.containers[0].exitCode = done.returncode
        task.stopped_reason = "Essential container in task exited"
        task.status = "STOPPED"


def _environment(container, region):
    variables = {item["name"]: str(item["value"]) for item in container.get("environment", [])}
    variables |= {item["name"]: _secret(item["valueFrom"], region) for item in container.get("secrets", [])}
    if variables.get("NODE_EXTRA_CA_CERTS", "").startswith("/app/"):
        variables["NODE_EXTRA_CA_CERTS"] = functions.environment["certificates"]
    return {"PATH": os.environ["PATH"], **functions.clock(), **variables}


def _secret(value_from, region):
    """arn:aws:secretsmanager:region:account:secret:name[:key:stage:version]"""
    parts = value_from.split(":")
    key, stage, version = (parts[7:] + ["", "", ""])[:3]
    wanted = {"SecretId": ":".join(parts[:7])}
    if stage:
        wanted["VersionStage"] = stage
    if version:
        wanted["VersionId"] = version
    text = api.call("secretsmanager", region, "get_secret_value", wanted)["SecretString"]
    return json.loads(text)[key] if key else text


def _save_log(options, name, task, text):
    group = options["awslogs-group"]
    stream = f"{options['awslogs-stream-prefix']}/{name}/{task.id}"
    now = int(time.time() * 1000)
    # A log takes no empty line.
    lines = [{"timestamp": now + index, "message": line} for index, line in enumerate(text.splitlines()) if line]
    place = {"logGroupName": group, "logStreamName": stream}
    api.call("logs", options["awslogs-region"], "create_log_stream", place)
    if lines:
        api.call("logs", options["awslogs-region"], "put_log_events", {**place, "logEvents": lines})
