"""Serve dist/ on this machine, with the headers that let WebAssembly use several threads.

    python examples/web/serve.py [PORT]

`python -m http.server -d examples/web/dist` does as well: the network then runs on one thread.
"""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

DIST: Final = Path(__file__).parent / "dist"
HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Content-Security-Policy": "connect-src 'self'; object-src 'none'",  # the page itself says more
    "Cache-Control": "no-cache",
}


class Handler(SimpleHTTPRequestHandler):
    """Files of a folder, with HEADERS."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def end_headers(self) -> None:
        """Add what every answer carries."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()


def main(arguments: list[str]) -> int:
    """Serve until Ctrl-C; 2 where there is nothing to serve."""
    if not DIST.is_dir():
        print("there is no page yet: run `npm ci && npm run build` in examples/web first", file=sys.stderr)
        return 2
    port = int(arguments[0]) if arguments else 8000
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(DIST))) as server:
        print(f"http://127.0.0.1:{port}/", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
