"""State machines run: moto has an interpreter of their language, which it leaves off unless told, and its CloudFormation knows
no `Definition`. Each step's function is called as in AWS. What they wait for, before a step or before it is tried again, passes
at once; a time-out of the whole never comes; who may call what is not asked; no metric is written."""

import json
import re
import types

from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.backend.execution import Execution

import resource_types

_placeholder = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


def install():
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    WaitFunction._wait_interval = lambda self, env, wait_seconds: None
    retrier_decl.time = types.SimpleNamespace(sleep=lambda seconds: None)
    # moto copies a machine with all that it has run, locks and threads among it, and so can start it only once.
    Execution.__deepcopy__ = lambda self, memo: self


def _definition(p):
    values = p.get("DefinitionSubstitutions", {})
    return _placeholder.sub(lambda match: values[match[1]], json.dumps(p["Definition"]))


def _make(at, p):
    name = at.name(p, "StateMachineName", 80)
    made = {"name": name, "definition": _definition(p), "roleArn": p["RoleArn"]}
    arn = at.call("stepfunctions", "create_state_machine", made)["stateMachineArn"]
    return resource_types.Resource(arn, {"Arn": arn, "Name": name})


def _change(at, model, before, p):
    changed = {"stateMachineArn": model.pid, "definition": _definition(p), "roleArn": p["RoleArn"]}
    at.call("stepfunctions", "update_state_machine", changed)


resource_types.KINDS["AWS::StepFunctions::StateMachine"] = resource_types.Kind(
    _make, _change,
    lambda at, model, p: at.call("stepfunctions", "delete_state_machine", {"stateMachineArn": model.pid}),
)
