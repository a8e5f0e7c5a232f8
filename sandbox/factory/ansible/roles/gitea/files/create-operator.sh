#!/bin/sh
# Creates the operator's account and token. Both secrets are made here and stay in 0600 files until the operator has them,
# so that a run that dies in between can be repeated.
set -eu
umask 077
cd /data/gitea
gitea() { runuser -u git -- /opt/forge/bin/gitea --work-path /data/gitea --config /data/gitea/conf/app.ini admin user "$@" 2> /data/gitea/operator.errors; }
grep -qs 'password is' operator.account || {
  gitea create --username operator --email "$1" --admin --random-password --must-change-password=false > operator.account
} || { cat operator.errors operator.account >&2; rm -f operator.account; exit 1; }
test -s operator.token || { gitea generate-access-token --username operator --token-name "sandbox-$(date +%s)" --raw --scopes all > operator.token.new; mv operator.token.new operator.token; }
sed -n "s/.*password is '\(.*\)'.*/\1/p" operator.account
tail -n 1 operator.token
