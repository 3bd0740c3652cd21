"""Pages a CPU-second of Scrapy on the server of `cargo bench --bench fetch -- serve PORT`; see README.md.

robots.txt is obeyed and the body hashed. There is one host with 64 requests at once, for names that lead to loopback
cannot be counted on; that is less work for Scrapy than our own benchmark's 128 hosts are for us.
"""

import hashlib
import sys
import time

from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess

PORT, PAGES = int(sys.argv[1]), int(sys.argv[2])


class Pages(Spider):
    name = "pages"

    async def start(self):
        for n in range(PAGES):
            yield Request(f"http://127.0.0.1:{PORT}/p{n}", callback=self.parse, dont_filter=True)

    def parse(self, response):
        assert len(response.body) > 15_000
        hashlib.sha256(response.body).digest()
        self.crawler.stats.inc_value("hashed")


process = CrawlerProcess(
    {
        "ROBOTSTXT_OBEY": True,
        "CONCURRENT_REQUESTS": 64,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 64,
        "DOWNLOAD_DELAY": 0,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        "RETRY_ENABLED": False,
    }
)
crawler = process.create_crawler(Pages)
begin, wall = time.process_time(), time.monotonic()
process.crawl(crawler)
process.start()
used, took = time.process_time() - begin, time.monotonic() - wall
done = crawler.stats.get_value("hashed", 0)
assert done == PAGES, f"{done} of {PAGES} pages"
print(f"scrapy {done / used:.0f} pages/CPU-s  {done / took:.0f} pages/s")
