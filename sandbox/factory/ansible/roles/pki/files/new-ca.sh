#!/bin/sh
# Makes a private CA of its own: a root that signs one intermediate, which step-ca issues with. Nothing of another CA is kept.
# usage: new-ca.sh FOLDER
set -eu
umask 077
export PATH="$PATH:/opt/forge/bin" STEPPATH="$1"
new="$1.new"
rm -rf "$new" && mkdir -p "$new/certs" "$new/secrets" "$new/db"
# The serial tells one root from another of the same platform.
name="Arcodange Lab $(openssl rand -hex 4)"
step certificate create "$name Root CA" "$new/certs/root_ca.crt" "$new/secrets/root_ca_key" \
  --profile root-ca --no-password --insecure --not-after 87600h
step certificate create "$name Intermediate CA" "$new/certs/intermediate_ca.crt" "$new/secrets/intermediate_ca_key" \
  --profile intermediate-ca --ca "$new/certs/root_ca.crt" --ca-key "$new/secrets/root_ca_key" --no-password --insecure --not-after 43800h
rm -rf "$1" && mv "$new" "$1"
