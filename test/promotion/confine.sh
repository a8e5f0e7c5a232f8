#!/usr/bin/env bash
# Becomes a program that sees, of this machine's folders, what a runner of pull requests needs: the suite as the workflow names it
# (read-only), the ledger in it, and a home of its own; as a user without any privilege. Runs within `unshare --mount --pid --fork`.
# Environment: HOME_FOLDER, SUITE_FOLDER, LEDGER_FOLDER, PROGRAM, RUNNER_UID. Arguments: those of the program.
set -euo pipefail
mount -t proc proc /proc
# The suite may itself lie below /srv or /tmp, which are about to be covered.
stage=$(mktemp --directory)
mkdir "$stage/suite" "$stage/ledger" "$stage/home" && touch "$stage/program"
mount --bind "$SUITE_FOLDER" "$stage/suite"
mount --bind "$LEDGER_FOLDER" "$stage/ledger"
mount --bind "$HOME_FOLDER" "$stage/home"
mount --bind "$PROGRAM" "$stage/program"
mount -t tmpfs -o mode=0755 tmpfs /srv
mkdir /srv/sandbox-acceptance /srv/runner && touch /srv/actions-runner
mount --bind "$stage/suite" /srv/sandbox-acceptance
mount -o remount,bind,ro /srv/sandbox-acceptance
mount --bind "$stage/ledger" /srv/sandbox-acceptance/reports/ledger
mount --bind "$stage/home" /srv/runner
mount --bind "$stage/program" /srv/actions-runner
umount "$stage"/*
rm "$stage/program" && rmdir "$stage"/* "$stage"
mount -t tmpfs -o mode=1777 tmpfs /tmp
cd /srv/runner
exec env --ignore-environment PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/srv/runner/user \
  setpriv --pdeathsig KILL --reuid="$RUNNER_UID" --regid="$RUNNER_UID" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
  /srv/actions-runner "$@" >> /srv/runner/log 2>&1
