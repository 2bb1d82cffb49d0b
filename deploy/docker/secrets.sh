#!/bin/sh
# Prints fresh secrets for compose.yaml, as lines of an environment file:
#
#     sh deploy/docker/secrets.sh > deploy/docker/.env
set -eu
# The file was made by the shell that called this one: nobody but its owner shall read it.
if [ -f /dev/stdout ]; then chmod 600 /dev/stdout; fi
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
for name in POSTGRES_PASSWORD DATABASE_PASSWORD_ALL DATABASE_PASSWORD_API DATABASE_PASSWORD_OPERATOR \
    AMQP_PASSWORD_ALL AMQP_PASSWORD_API AMQP_PASSWORD_OPERATOR \
    AMQP_PASSWORD_UPSTREAM_FACTS AMQP_PASSWORD_UPSTREAM_REQUESTS AMQP_PASSWORD_UPSTREAM_EVENTS GRAFANA_PASSWORD; do
    printf '%s=%s\n' "$name" "$(random 16)"
done
printf 'VAULT_KEYS=compose:%s\n' "$(random 32)"
printf 'VAULT_LOOKUP_KEY=%s\n' "$(random 32)"
