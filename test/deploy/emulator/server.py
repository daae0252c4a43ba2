"""moto as a server on a free loopback port, with the CloudFormation types it lacks, CloudFormation's order of work, and
functions that run in Node. It says its port on the first line that it prints, and ends when its standard input does, so
that it can't outlive the test that started it.

What it can't show, and what a deployment that holds here may still fail of:
- rights: no policy of a role, a bucket, a key or a stack is judged, nobody is refused;
- time: everything is there at once, nothing is "being modified", no window is waited for, no change waits for a restart;
- what runs: no task of a service, no load balancer, no firewall, no schedule, no alarm; functions run, outside of any
  network, and tasks that somebody starts by hand, from the project's files (tasks.py);
- networks: no security group, route or endpoint keeps anything from anything;
- capacity: one quota is known (quotas.py), no class or version that a zone lacks, no price;
- copies: an instance that is restored has the address of the one PostgreSQL, and so is its source under another name;
- state machines but for their order of steps (state_machines.py);
- drift, but of alarms' thresholds (drift.py); the load balancer's figures, but those that a test puts in;
- what a property may be, beyond what moto or the linter checks.
The rules that it has learnt: one listener a port, protection from deletion of load balancers and databases
(load_balancers.py), copies upgraded before their source (resource_types.py), no replacement under the same name
(replacements.py), tasks within the quota (quotas.py), any order that references allow (stack_engine.py)."""

import json
import logging
import os
import shutil
import signal
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

import change_sets
import custom_resources
import database
import drift
import functions
import load_balancers  # noqa: F401, it files its types
import moto_gaps
import quotas
import stack_engine
import state_machines
import tasks


class Quiet(WSGIRequestHandler):
    """Requests are not logged, errors are."""

    def log_request(self, *args, **kwargs):
        pass


def with_controls(app):
    """Adds what AWS has outside of its APIs: the address that custom resources answer to, the clock, quotas, and how
    a stack stands."""

    def serve(environ, start_response):
        if not environ.get("PATH_INFO", "").startswith("/_emulator/"):
            return app(environ, start_response)
        return control(Request(environ))(environ, start_response)

    return serve


def control(request):
    _, _, what, *rest = request.path.split("/")
    if request.method == "PUT" and what == "answers" and rest:
        # The real address is signed for an empty content type and refuses any other.
        if request.headers.get("Content-Type"):
            return Response("SignatureDoesNotMatch", status=403)
        return Response(status=200 if custom_resources.accept_answer(rest[0], request.get_data()) else 404)
    if request.method == "PUT" and what == "clock":
        functions.set_clock_offset(json.loads(request.get_data())["offsetMillis"])
        return Response(status=204)
    if request.method == "PUT" and what == "stacks":
        stack_engine.set_statuses(json.loads(request.get_data()))
        return Response(status=204)
    if request.method == "PUT" and what == "quotas":
        quotas.set_values(json.loads(request.get_data()))
        return Response(status=204)
    return Response(status=404)


def end_with_input(server):
    sys.stdin.buffer.read()
    server.shutdown()


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(
        "127.0.0.1", 0, with_controls(DomainDispatcherApplication(create_backend_app)), threaded=True,
        request_handler=Quiet,
    )
    server.daemon_threads = True
    os.environ["MOTO_PORT"] = str(server.server_port)
    functions.set_port(server.server_port)
    for part in (functions, database, moto_gaps, quotas, stack_engine, change_sets, drift, state_machines, tasks):
        part.install()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    threading.Thread(target=end_with_input, args=(server,), daemon=True).start()
    print(server.server_port, flush=True)
    try:
        server.serve_forever()
    finally:
        functions.end_all()
        shutil.rmtree(functions.scratch(), ignore_errors=True)


if __name__ == "__main__":
    main()
