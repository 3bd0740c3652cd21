"""Pages a CPU-second of Crawlee for Python (`HttpCrawler`) on the server of `cargo bench --bench fetch -- serve PORT`.

robots.txt is respected and the body hashed; one host, 64 requests at once, as in `peer_scrapy.py`.
"""

import asyncio
import hashlib
import logging
import sys
import time

from crawlee import ConcurrencySettings
from crawlee.crawlers import HttpCrawler

PORT, PAGES = int(sys.argv[1]), int(sys.argv[2])


async def main():
    done = 0
    crawler = HttpCrawler(
        concurrency_settings=ConcurrencySettings(min_concurrency=64, max_concurrency=64, desired_concurrency=64),
        max_request_retries=0,
        respect_robots_txt_file=True,
        configure_logging=False,
    )

    @crawler.router.default_handler
    async def handle(context):
        nonlocal done
        body = await context.http_response.read()
        assert len(body) > 15_000
        hashlib.sha256(body).digest()
        done += 1

    begin, wall = time.process_time(), time.monotonic()
    await crawler.run([f"http://127.0.0.1:{PORT}/p{n}" for n in range(PAGES)])
    used, took = time.process_time() - begin, time.monotonic() - wall
    assert done == PAGES, f"{done} of {PAGES} pages"
    print(f"crawlee {done / used:.0f} pages/CPU-s  {done / took:.0f} pages/s")


logging.disable(logging.WARNING)
asyncio.run(main())
