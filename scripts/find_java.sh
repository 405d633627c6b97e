#!/usr/bin/env bash
# A Java for Spark (17 or newer): the one on PATH, else Debian's.
set -euo pipefail

fits() {
  local version
  version=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -n '1s/[^"]*"\([0-9]*\).*/\1/p') && [ "${version:-0}" -ge 17 ]
}
if fits; then exit 0; fi

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Debian's Java for Spark ..."
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless > /dev/null && fits; then exit 0; fi
fi

cat >&2 << EOF
No Java 17 or newer for Spark could be found or installed. Install one, then run make test-all again:
  sudo apt-get install openjdk-17-jre-headless        (Debian)
EOF
exit 1
