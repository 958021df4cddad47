"""A provider that is no bottleneck: nginx on the loopback interface, which answers createTask and recordInfo at once."""

import glob
import os
import shutil
import subprocess

from harness import answers, fail, free_port, start, wait


def find_nginx(scratch):
    installed = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if installed:
        return installed
    print("nginx is not installed: unpacking Debian's package into the scratch directory", flush=True)
    folder = f"{scratch}/nginx-package"
    os.mkdir(folder)
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if not shutil.which("apt-get"):
        fail("nginx is missing and there is no apt; install nginx")
    if subprocess.run(["apt-get", "download", "nginx"], **quiet).returncode != 0:
        # The lists may be missing or old.
        subprocess.run(["apt-get", "update"], **quiet)
        if subprocess.run(["apt-get", "download", "nginx"], **quiet).returncode != 0:
            fail("nginx is missing and apt cannot fetch it; install nginx")
    for package in glob.glob(f"{folder}/*.deb"):
        subprocess.run(["dpkg", "-x", package, folder], check=True)
    return f"{folder}/usr/sbin/nginx"


def start_provider(scratch, started):
    """Starts nginx on a free port; its URL."""
    port = free_port()
    home = f"{scratch}/nginx"
    os.mkdir(home)
    record = (
        '{"code":200,"msg":"success","data":{"taskId":"$arg_taskId","model":"flux-2/flex-text-to-image",'
        '"state":"success","param":"{}","resultJson":"{\\\\"resultUrls\\\\":[\\\\"http://127.0.0.1/$arg_taskId.png\\\\"]}",'
        '"failCode":null,"failMsg":null,"costTime":1,"completeTime":1777539191339,"createTime":1777539190339,'
        '"creditsConsumed":14}}'
    )
    created = '{"code":200,"msg":"success","data":{"taskId":"$request_id","recordId":"$request_id"}}'
    configuration = f"""
        daemon off;
        {'user root;' if os.geteuid() == 0 else ''}
        worker_processes 1;
        pid {home}/pid;
        error_log {home}/error.log;
        events {{ worker_connections 4096; }}
        http {{
            access_log off;
            keepalive_requests 1000000000;
            keepalive_timeout 1h;
            default_type application/json;
            client_body_temp_path {home}/body;
            proxy_temp_path {home}/proxy;
            fastcgi_temp_path {home}/fastcgi;
            uwsgi_temp_path {home}/uwsgi;
            scgi_temp_path {home}/scgi;
            server {{
                listen 127.0.0.1:{port};
                location = /api/v1/jobs/createTask {{ return 200 '{created}'; }}
                location = /api/v1/jobs/recordInfo {{ return 200 '{record}'; }}
                location = /api/v1/chat/credit {{ return 200 '{{"code":200,"msg":"success","data":1000000}}'; }}
            }}
        }}
    """
    with open(f"{home}/nginx.conf", "w") as file:
        file.write(configuration)
    log = f"{home}/error.log"
    open(log, "w").close()
    with open(f"{home}/output", "wb") as output:
        process = start(
            [find_nginx(scratch), "-p", home, "-c", f"{home}/nginx.conf", "-e", log],
            started,
            stdout=output,
            stderr=output,
        )
    wait("nginx answers", lambda: answers(port), process, f"{home}/output", 20)
    return f"http://127.0.0.1:{port}"
