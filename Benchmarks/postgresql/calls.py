"""What a job is for a worker in Python: the provider's two calls, through connections that stay open."""

import json

import aiohttp

HEADERS = {"Authorization": "Bearer a-key", "User-Agent": "promptd-benchmark/1", "Content-Type": "application/json"}


class Provider:
    """The provider at a URL; without one, a job is nothing at all."""

    def __init__(self, url, concurrency):
        self.url, self.concurrency = url, concurrency
        self.session = None

    async def __aenter__(self):
        if self.url:
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.concurrency), headers=HEADERS
            )
        return self

    async def __aexit__(self, *_):
        if self.session:
            await self.session.close()

    async def generate(self, prompt):
        """The URLs of the results."""
        if not self.url:
            return []
        body = {
            "model": "flux-2/flex-text-to-image",
            "input": {"prompt": prompt, "aspect_ratio": "1:1", "resolution": "1K"},
        }
        async with self.session.post(f"{self.url}/api/v1/jobs/createTask", data=json.dumps(body)) as answer:
            task = json.loads(await answer.read())["data"]["taskId"]
        async with self.session.get(f"{self.url}/api/v1/jobs/recordInfo?taskId={task}") as answer:
            record = json.loads(await answer.read())["data"]
        if record["state"] != "success":
            raise RuntimeError(record["state"])
        return json.loads(record["resultJson"])["resultUrls"]
