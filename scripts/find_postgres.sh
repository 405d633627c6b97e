#!/usr/bin/env bash
# A PostgreSQL for the engines' tests: BEDSIDE_POSTGRES, PATH, or Debian's, else install Debian's. No server of it is started.
set -euo pipefail

for folder in "${BEDSIDE_POSTGRES:-}" "$(dirname "$(command -v initdb || echo /none/initdb)")" /usr/lib/postgresql/*/bin; do
  if [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then exit 0; fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Debian's PostgreSQL for the engines' tests ..."
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p /etc/postgresql-common
  # The package would otherwise make a database of its own and start it with the machine.
  test -e /etc/postgresql-common/createcluster.conf ||
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql > /dev/null; then exit 0; fi
fi

cat >&2 << EOF
No PostgreSQL for the engines' tests could be found or installed. Install one, then run make test again:
  sudo apt-get install postgresql        (Debian)
or name the folder that holds initdb and pg_ctl:  BEDSIDE_POSTGRES=/path/to/bin make test
EOF
exit 1
