#!/bin/sh
# Installs the Debian packages given as arguments, as root, asking nothing.
#
# The packages' own services must not start: this machine's ports and data are
# not ours to take. A policy-rc.d that someone else put there is left as it is.
# Ours says no only while this very shell is alive, so that a power cut in the
# middle leaves a file that allows everything; the next install removes it.
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
mark='# written by the outflow devstack'

if [ ! -e "$policy" ] || grep -qF "$mark" "$policy"; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\n%s\n[ -d /proc/%s ] && exit 101\nexit 0\n' "$mark" "$$" > "$policy"
    chmod 755 "$policy"
fi

# Another apt may be at work, for example the daily one: wait for it.
apt-get -q -o DPkg::Lock::Timeout=300 update || echo 'apt-get update failed; trying with the lists at hand'
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
