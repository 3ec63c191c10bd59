"""A stand-in for Modal's Python package: it takes what the package's public functions take, with their names of
parameters, and writes down what the real one would send when a function is created."""

import json
import os


def is_local():
    return os.environ.get("TEST_IN_CONTAINER") != "1"


class Secret:
    def __init__(self, env_dict):
        self.env_dict = env_dict

    @staticmethod
    def from_dict(env_dict):
        assert all(isinstance(each, str) for pair in env_dict.items() for each in pair)
        return Secret(env_dict)


class Volume:
    def __init__(self, name):
        self.name = name

    @staticmethod
    def from_name(name, *, environment_name=None, create_if_missing=False):
        assert create_if_missing
        return Volume(name)


class Image:
    @staticmethod
    def from_registry(tag, secret=None, *, setup_dockerfile_commands=(), force_build=False, add_python=None):
        assert add_python is None or isinstance(add_python, str)
        image = Image()
        image.tag = tag
        return image

    def entrypoint(self, entrypoint_commands):
        assert entrypoint_commands == []
        return self


def concurrent(*, max_inputs=None, target_inputs=None):
    def decorate(function):
        function.max_inputs = max_inputs
        return function

    return decorate


def web_server(port, *, startup_timeout=5.0, label=None, custom_domains=None, requires_proxy_auth=False):
    def decorate(function):
        function.web = {
            "type": "WEBHOOK_TYPE_WEB_SERVER",
            "async_mode": "WEBHOOK_ASYNC_MODE_AUTO",
            "web_server_port": port,
            "web_server_startup_timeout": float(startup_timeout),
        }
        if requires_proxy_auth:
            function.web["requires_proxy_auth"] = True
        return function

    return decorate


class App:
    def __init__(self, name):
        self.name = name

    def function(
        self,
        *,
        image=None,
        env=None,
        secrets=None,
        gpu=None,
        volumes={},
        cpu=None,
        memory=None,
        ephemeral_disk=None,
        min_containers=None,
        max_containers=None,
        buffer_containers=None,
        scaledown_window=None,
        timeout=300,
        startup_timeout=None,
        cloud=None,
        region=None,
        nonpreemptible=False,
        enable_memory_snapshot=False,
    ):
        def decorate(function):
            kind, _, count = gpu.partition(":")
            request = {
                "function": {
                    "module_name": function.__module__,
                    "function_name": function.__name__,
                    "definition_type": "DEFINITION_TYPE_FILE",
                    "function_type": "FUNCTION_TYPE_FUNCTION",
                    "resources": {"gpu_config": {"count": int(count or 1), "gpu_type": kind}},
                    "webhook_config": function.web,
                    "concurrency_limit": max_containers,
                    "timeout_secs": timeout,
                    "task_idle_timeout_secs": scaledown_window,
                    "app_name": self.name,
                    "volume_mounts": [
                        {"volume_id": volume.name, "mount_path": path, "allow_background_commits": True}
                        for path, volume in volumes.items()
                    ],
                    "max_concurrent_inputs": function.max_inputs,
                    "autoscaler_settings": {
                        "min_containers": min_containers,
                        "max_containers": max_containers,
                        "scaledown_window": scaledown_window,
                    },
                    "startup_timeout_secs": startup_timeout,
                    "implementation_name": function.__name__,
                }
            }
            print(json.dumps({"FunctionCreateRequest": request, "secrets": [each.env_dict for each in secrets]}))
            return function

        return decorate
