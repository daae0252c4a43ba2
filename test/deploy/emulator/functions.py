"""Runs a function's zip in a Node process of its own: only what is in the zip, the AWS SDK beside it as in Lambda's
runtime, only the variables that Lambda sets, and an end some time after its time is over."""

import base64
import hashlib
import io
import json
import os
import subprocess
import tempfile
import time
import uuid
import zipfile

from moto.awslambda.models import LambdaFunction

_here = os.path.dirname(os.path.abspath(__file__))
_root = tempfile.mkdtemp(prefix="qurable-emulator-")
_state = {"port": 0, "clock_offset_millis": 0}
environment = {
    "node": os.environ.get("EMULATOR_NODE", "node"),
    "modules": os.environ.get("EMULATOR_NODE_MODULES", ""),
    "certificates": os.environ.get("EMULATOR_CERTIFICATES", ""),
}
invocations = []
# A function's own time-out is what it is told, and what it acts by. It is killed only so much later: loading it is not of
# its time, and a machine that stands still for a while must not decide.
_kill_after_seconds = 120


def set_port(port):
    _state["port"] = port


def own_address(path=""):
    return f"http://127.0.0.1:{_state['port']}{path}"


def set_clock_offset(millis):
    _state["clock_offset_millis"] = millis


def scratch():
    """The directory of everything that this emulator writes, removed at its end."""
    return _root


def _provide_runtime():
    # The runtime has the SDK and nothing else: a function that forgot to bundle a package must fail here as there.
    modules = os.path.join(_root, "node_modules")
    os.makedirs(modules, exist_ok=True)
    link = os.path.join(modules, "@aws-sdk")
    if not os.path.exists(link):
        os.symlink(os.path.join(environment["modules"], "@aws-sdk"), link)


def _unpack(code):
    """Each version of a zip is unpacked once. Its directory lies below node_modules' parent, where Node looks."""
    directory = os.path.join(_root, hashlib.sha256(code).hexdigest()[:16])
    if not os.path.exists(directory):
        zipfile.ZipFile(io.BytesIO(code)).extractall(directory)
    return directory


def clock():
    """What sets another clock for the emulator, and so for what it runs: see test/at-day.sh."""
    return {name: os.environ[name] for name in ("LD_PRELOAD", "CLOCK_OFFSET_SECONDS") if name in os.environ}


def run(function, event):
    """Runs a function once. Returns its answer as JSON text, whether it failed, and what it printed."""
    _provide_runtime()
    task = _unpack(function.code_bytes)
    request_id = str(uuid.uuid4())
    stream = f"{time.strftime('%Y/%m/%d')}/[{function.version}]{uuid.uuid4().hex}"
    variables = {key: str(value) for key, value in (function.environment_vars or {}).items()}
    if variables.get("NODE_EXTRA_CA_CERTS", "").startswith("/var/runtime/"):
        variables["NODE_EXTRA_CA_CERTS"] = environment["certificates"]
    env = {
        "PATH": os.environ["PATH"],
        **clock(),
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": task,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        **variables,
        "AWS_ENDPOINT_URL": own_address(),
        "EMULATOR_TIMEOUT_SECONDS": str(function.timeout),
        "EMULATOR_REQUEST_ID": request_id,
        "EMULATOR_CLOCK_OFFSET_MILLIS": str(_state["clock_offset_millis"]),
        "EMULATOR_COMPILE_CACHE": os.environ.get("NODE_COMPILE_CACHE", ""),
    }
    read, write = os.pipe()
    command = [environment["node"], os.path.join(_here, "runtime.mjs"), str(write)]
    process = subprocess.Popen(
        command, cwd=task, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        pass_fds=(write,),
    )
    os.close(write)
    timed_out = False
    try:
        printed, _ = process.communicate(json.dumps(event).encode(), timeout=float(function.timeout) + _kill_after_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, _ = process.communicate()
        timed_out = True
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read().decode()
    if timed_out:
        answer = json.dumps({"errorMessage": f"{request_id} Task timed out after {function.timeout} seconds"})
    elif not answer:
        answer = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": f"exit status {process.returncode}"})
    logs = printed.decode(errors="replace")
    _save_logs(function, stream, logs)
    return answer, timed_out or process.returncode != 0, logs


def _save_logs(function, stream, logs):
    backend = function.logs_backend
    backend.ensure_log_group(function.logs_group_name)
    backend.create_log_stream(function.logs_group_name, stream)
    now = int(time.time() * 1000)
    lines = [{"timestamp": now, "message": line} for line in logs.splitlines()]
    if lines:
        backend.put_log_events(function.logs_group_name, stream, lines)


def _invoke(self, body, request_headers, response_headers):
    answer, failed, logs = run(self, json.loads(body) if body else {})
    if failed:
        response_headers["x-amz-function-error"] = "Unhandled"
    response_headers["x-amz-log-result"] = base64.b64encode(logs[-4096:].encode()).decode()
    return answer.encode()


def install():
    LambdaFunction.invoke = _invoke
