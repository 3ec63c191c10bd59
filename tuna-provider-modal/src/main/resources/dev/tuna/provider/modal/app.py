# Written by Tuna: what is changed here is lost with the next deployment.
import json
import os
import socket
import subprocess
import threading
import time

import modal

PLAN = json.loads("@PLAN@")


def secret(name):
    """The value comes in a variable of the deploying process; a container has it already."""
    return os.environ["TUNA_SECRET_" + name] if modal.is_local() else ""


app = modal.App(PLAN["app"])
image = modal.Image.from_registry(PLAN["image"], add_python=PLAN["add_python"]).entrypoint([])
cache = modal.Volume.from_name(PLAN["volume"], create_if_missing=True)
secrets = [modal.Secret.from_dict({name: secret(name) for name in PLAN["secrets"]})]


def die_with(engine):
    """A container whose engine has ended takes requests and can answer none."""
    engine.wait()
    os._exit(1)


@app.function(image=image, volumes={PLAN["cache"]: cache}, secrets=secrets, **PLAN["function"])
@modal.concurrent(**PLAN["concurrent"])
@modal.web_server(PLAN["port"], **PLAN["web_server"])
def serve():
    engine = subprocess.Popen(PLAN["command"], env={**os.environ, **PLAN["environment"]})
    while engine.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", PLAN["port"]), 1).close()
        except OSError:
            time.sleep(1)
            continue
        threading.Thread(target=die_with, args=(engine,), daemon=True).start()
        return
    raise RuntimeError("the engine ended with status %d before it served" % engine.returncode)
