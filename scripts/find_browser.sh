#!/usr/bin/env bash
# A Chromium for the browser tests: one on PATH, else Debian's, else Playwright's own.
set -euo pipefail
python=$1

for name in "${BEDSIDE_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable; do
  if [ -n "$name" ] && command -v "$name" > /dev/null; then exit 0; fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Debian's Chromium for the browser tests ..."
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null; then exit 0; fi
fi

# Playwright's own goes into the user's cache; ask whether it is there before fetching it.
has_own() {
  "$python" -c 'import os, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p: sys.exit(not os.path.exists(p.chromium.executable_path))'
}
if has_own; then exit 0; fi
echo "Installing Playwright's Chromium for the browser tests ..."
if "$python" -m playwright install chromium && has_own; then exit 0; fi

cat >&2 << EOF
No browser for the browser tests could be found or installed. Install one, then run make test again:
  sudo apt-get install chromium          (Debian)
  $python -m playwright install --with-deps chromium
EOF
exit 1
