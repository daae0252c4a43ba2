"""Says what is wrong with commands of the aws CLI, without running them and without a network.

Reads a JSON list of commands, each a list of its arguments without "aws", and prints a JSON list of sentences. The service
models that come with botocore, which the CLI is made of, know every operation with its options and its answer. Asked are:
the service, the operation or waiter, each option, the options that must be there, and that --query finds something in an
answer of that shape.
"""

import json
import re
import sys

import botocore.session
import jmespath
from botocore import xform_name
from botocore.utils import ArgumentGenerator

session = botocore.session.get_session()
models = {}
everywhere = {"query", "output", "region", "profile", "no-cli-pager", "cli-input-json"}
of_pages = {"max-items", "page-size", "starting-token", "no-paginate"}


def kebab(name):
    return xform_name(name, "-")


def read_model(service):
    if service not in models:
        models[service] = session.get_service_model(service)
    return models[service]


def read_data(service, kind):
    try:
        return session.get_component("data_loader").load_service_model(service, kind)
    except botocore.exceptions.UnknownServiceError:
        return {"waiters": {}, "pagination": {}}


def faults_of(arguments):
    service, command, *rest = arguments
    if service not in session.get_available_services():
        return [f"there is no service {service}"]
    model = read_model(service)
    if command == "wait":
        waiters = read_data(service, "waiters-2")["waiters"]
        waiter, *rest = rest
        named = {kebab(name): waiters[name]["operation"] for name in waiters}
        if waiter not in named:
            return [f"{service} has no waiter {waiter}"]
        operation = model.operation_model(named[waiter])
    else:
        named = {kebab(name): name for name in model.operation_names}
        if command not in named:
            return [f"{service} has no operation {command}"]
        operation = model.operation_model(named[command])
    return list(faults_of_options(service, operation, rest))


def faults_of_options(service, operation, rest):
    if rest and not rest[0].startswith("--"):
        yield f"{rest[0]} is no option"
    given = [argument[2:] for argument in rest if argument.startswith("--")]
    shape = operation.input_shape
    members = {kebab(name): name for name in shape.members} if shape else {}
    known = everywhere | set(members) | {f"no-{name}" for name in members}
    if operation.name in read_data(service, "paginators-1")["pagination"]:
        known |= of_pages
    for option in given:
        if option not in known:
            yield f"{operation.name} has no option --{option}"
    if "cli-input-json" not in given:
        for name in shape.required_members if shape else []:
            if kebab(name) not in given:
                yield f"{operation.name} needs --{kebab(name)}"
    if "query" in given:
        yield from faults_of_query(operation, rest[rest.index("--query") + 1])


def faults_of_query(operation, query):
    made_up = ArgumentGenerator(use_member_names=True).generate_skeleton(operation.output_shape)
    answer = json.loads(json.dumps(made_up, default=str))
    # A condition would be false in an answer that is made up: all is let through, and what it asks has to be there.
    if has_nothing(jmespath.search(re.sub(r"\[\?[^\]]*\]", "[*]", query), answer)):
        yield f"--query {query} finds nothing in the answer of {operation.name}"
    for condition in re.finditer(r"\[\?\s*(\w+)", query):
        if has_nothing(jmespath.search(f"{query[:condition.start()]}[*].{condition[1]}", answer)):
            yield f"the answer of {operation.name} has no {condition[1]}"


def has_nothing(value):
    if isinstance(value, list):
        return not value or any(has_nothing(item) for item in value)
    if isinstance(value, dict):
        return not value or any(has_nothing(item) for item in value.values())
    return value is None


commands = json.load(sys.stdin)
print(json.dumps([f"aws {' '.join(command)}: {fault}" for command in commands for fault in faults_of(command)]))
