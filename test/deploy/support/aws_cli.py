"""The aws CLI, loaded once. It takes a second of a processor to load, and far less to do what it is asked; the pipeline's
scripts start it again and again. Here each call of it runs in a fork of a process that has loaded it. The CLI is also
slow to read what it knows of a service, so that process reads this too, before the first call of the service.

  aws_cli.py serve SOCKET     says `ready` once it can be asked, and ends when its standard input does
  aws_cli.py SOCKET ARGUMENTS is the CLI to whoever calls it: the arguments, variables, folder, files and status are its own
"""

import functools
import os
import socket
import sys
import traceback


def ask(path, arguments):
    """Hands a call to the process that serves, with this process's standard files, and returns the CLI's status."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(path)
        variables = [f"{name}={value}" for name, value in os.environ.items()]
        texts = [os.getcwd(), str(len(variables)), *variables, *arguments]
        socket.send_fds(server, [os.fsencode("\0".join(texts))], [0, 1, 2])
        status = server.recv(1)
        # Nothing comes where the CLI was killed.
        return status[0] if status else 1


def serve(path):
    import gc
    import select
    import signal

    import awscli.clidriver

    read_service = share_what_is_read()
    # It asks for variables, files and arguments only when it runs. To be made and to find its commands, as for its help,
    # takes it half of its time for a call.
    cli = awscli.clidriver.create_clidriver()
    cli.create_help_command()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(path)
        server.listen()
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([server, sys.stdin], [], [])
            # Nothing is ever written there.
            if sys.stdin in ready:
                return
            connection, _ = server.accept()
            call = receive(connection)
            if call is not None:
                read_service(call["arguments"][0] if call["arguments"] else "")
                # What is here now is no garbage: a fork that looked for some in it would copy all of it.
                gc.freeze()
                if os.fork() == 0:
                    server.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    run(connection, call, cli.main)
                for file in call["files"]:
                    os.close(file)
            connection.close()


def share_what_is_read():
    """Lets all calls have one loader of the CLI's data, and returns what fills it for the service of a call."""
    import botocore.exceptions
    import botocore.loaders
    import botocore.session

    session = botocore.session.get_session()
    loader = botocore.loaders.create_loader(session.get_config_variable("data_path"))
    session.register_component("data_loader", loader)
    # For each of these it looks through two thousand folders, and keeps apart who asks by the argument's name.
    for kind in ("service-2", "paginators-1", "waiters-2"):
        loader.list_available_services(kind)
        loader.list_available_services(type_name=kind)
    # Sessions ask this one for their loader.
    botocore.session.create_loader = lambda _: loader

    @functools.cache
    def read(command):
        # A client reads all that there is of its service. This one is never used, so that its account does not matter.
        try:
            service = "s3" if command == "s3api" else command
            session.create_client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        except botocore.exceptions.UnknownServiceError:
            # A command of the CLI's own.
            pass

    return read


def receive(connection):
    """What is asked; None where whoever asked has gone."""
    message, files, _, _ = socket.recv_fds(connection, 1_000_000, 3)
    if not message:
        return None
    folder, count, *texts = os.fsdecode(message).split("\0")
    variables, arguments = texts[: int(count)], texts[int(count) :]
    return {"folder": folder, "variables": variables, "arguments": arguments, "files": files}


def run(connection, call, cli):
    """Becomes the CLI for one call, in a process of its own."""
    status = 255
    try:
        os.chdir(call["folder"])
        # Beside them stays where the CLI has its data, which it has put there itself.
        os.environ.update(text.split("=", 1) for text in call["variables"])
        for number, file in enumerate(call["files"]):
            os.dup2(file, number)
            os.close(file)
        sys.argv = ["aws", *call["arguments"]]
        status = cli() or 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(bytes([status]))
        os._exit(status)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
