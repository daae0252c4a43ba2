"""The aws CLI, loaded once. It takes a second of a processor to load, and far less to do what it is asked; the pipeline's
scripts start it again and again. Here each call of it runs in a fork of a process that has loaded it.

  aws_cli.py serve SOCKET     says `ready` once it can be asked, and ends when its standard input does
  aws_cli.py SOCKET ARGUMENTS is the CLI to whoever calls it: the arguments, variables, folder, files and status are its own
"""

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

    # It imports more when it begins.
    awscli.clidriver.create_clidriver()
    # What is here now is no garbage: a fork that looked for some in it would copy all of it.
    gc.freeze()
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
            if os.fork() == 0:
                server.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                run(connection, awscli.clidriver.main)
            connection.close()


def run(connection, cli):
    """Becomes the CLI for one call, in a process of its own."""
    status = 255
    try:
        message, files, _, _ = socket.recv_fds(connection, 1_000_000, 3)
        folder, count, *texts = os.fsdecode(message).split("\0")
        os.chdir(folder)
        # Beside them stays where the CLI has its data, which it has put there itself.
        os.environ.update(text.split("=", 1) for text in texts[: int(count)])
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        sys.argv = ["aws", *texts[int(count) :]]
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
