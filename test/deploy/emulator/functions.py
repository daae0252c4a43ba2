"""Runs a function's zip in a Node process of its own: only what is in the zip, the AWS SDK beside it as in Lambda's
runtime, only the variables that Lambda sets, and an end some time after its time is over. As in Lambda the process is
kept and given the next event too, until the function or its settings change, it ends by itself, or its time is over."""

import base64
import hashlib
import io
import json
import os
import selectors
import subprocess
import tempfile
import threading
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


class Environment:
    """A process that runs the events of one function, one after the other. Lambda calls it an execution environment."""

    def __init__(self, settings, task, stream):
        self.settings, self.stream = settings, stream
        read, write = os.pipe()
        command = [environment["node"], os.path.join(_here, "runtime.mjs"), str(write)]
        self.process = subprocess.Popen(
            command, cwd=task, env={**settings, "AWS_LAMBDA_LOG_STREAM_NAME": stream}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=(write,),
        )
        os.close(write)
        self.answers, self.prints = read, self.process.stdout.fileno()
        for file in (self.answers, self.prints):
            os.set_blocking(file, False)

    def run(self, event, seconds):
        """Returns the line of its answer, empty where it ended without one, and what it printed.

        Raises TimeoutExpired after so many seconds.
        """
        try:
            self.process.stdin.write(json.dumps(event).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            # It has ended, which is seen below.
            pass
        end = time.monotonic() + seconds
        got = {self.answers: b"", self.prints: b""}
        with selectors.DefaultSelector() as waiting:
            for file in got:
                waiting.register(file, selectors.EVENT_READ)
            while self.answers in waiting.get_map() and not got[self.answers].endswith(b"\n"):
                ready = waiting.select(end - time.monotonic())
                if not ready:
                    raise subprocess.TimeoutExpired("runtime.mjs", seconds, got[self.prints])
                for key, _ in ready:
                    if not _read(key.fd, got):
                        waiting.unregister(key.fd)
        # Node has printed everything before it answers.
        _read(self.prints, got)
        return got[self.answers].decode(), got[self.prints]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        os.close(self.answers)


def _read(file, got):
    """Reads what is there now. False at the end of the file."""
    try:
        while part := os.read(file, 65536):
            got[file] += part
        return False
    except BlockingIOError:
        return True


# The environments that wait for an event, by the function's name; the others are at work.
_idle = {}
_lock = threading.Lock()


def _take(function, settings, task):
    """An environment with these settings, one that waits if there is any. Those with former settings are ended."""
    name = function.function_name
    with _lock:
        waiting = _idle.pop(name, [])
        fit = [one for one in waiting if one.settings == settings and one.process.poll() is None]
        _idle[name] = fit[1:]
        for one in waiting:
            if one not in fit:
                one.end()
    if fit:
        return fit[0]
    return Environment(settings, task, f"{time.strftime('%Y/%m/%d')}/[{function.version}]{uuid.uuid4().hex}")


def _give_back(function, used):
    with _lock:
        _idle.setdefault(function.function_name, []).append(used)


def end_all():
    """Ends every environment that waits."""
    with _lock:
        for waiting in _idle.values():
            for one in waiting:
                one.end()
        _idle.clear()


def _settings(function, task):
    """The variables of a function's environment."""
    variables = {key: str(value) for key, value in (function.environment_vars or {}).items()}
    if variables.get("NODE_EXTRA_CA_CERTS", "").startswith("/var/runtime/"):
        variables["NODE_EXTRA_CA_CERTS"] = environment["certificates"]
    return {
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
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        **variables,
        "AWS_ENDPOINT_URL": own_address(),
        "EMULATOR_TIMEOUT_SECONDS": str(function.timeout),
        "EMULATOR_COMPILE_CACHE": os.environ.get("NODE_COMPILE_CACHE", ""),
    }


def run(function, event):
    """Runs a function once. Returns its answer as JSON text, whether it failed, and what it printed."""
    _provide_runtime()
    task = _unpack(function.code_bytes)
    used = _take(function, _settings(function, task), task)
    request_id = str(uuid.uuid4())
    asked = {"event": event, "requestId": request_id, "clockOffsetMillis": _state["clock_offset_millis"]}
    try:
        line, printed = used.run(asked, float(function.timeout) + _kill_after_seconds)
        if line:
            answered = json.loads(line)
            answer, failed = json.dumps(answered["answer"]), answered["failed"]
            _give_back(function, used)
        else:
            used.process.wait()
            exited = {"errorType": "Runtime.ExitError", "errorMessage": f"exit status {used.process.returncode}"}
            answer, failed = json.dumps(exited), True
            used.end()
    except subprocess.TimeoutExpired as late:
        used.end()
        printed, failed = late.output, True
        answer = json.dumps({"errorMessage": f"{request_id} Task timed out after {function.timeout} seconds"})
    logs = printed.decode(errors="replace")
    _save_logs(function, used.stream, logs)
    return answer, failed, logs


def _save_logs(function, stream, logs):
    backend = function.logs_backend
    backend.ensure_log_group(function.logs_group_name)
    if not backend.groups[function.logs_group_name].streams.get(stream):
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
