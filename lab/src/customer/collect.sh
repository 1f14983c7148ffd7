#!/bin/sh
# Gathers how this host's network is set up, for fps-lab to rebuild it in a laboratory.
# It only reads. It leaves one file in the current folder, fps-lab-collect-TIME.tar.gz.
# Run it as root, or the firewall is missing:  sudo sh collect.sh
#
# In the archive: links and their hardware addresses, addresses, routes, rules, firewall,
# network settings of the kernel, name servers and search domains, versions of kernel and ip.
# Not in it: keys and passwords, names of users, of this host and of wireless networks, neighbours,
# connections, traffic. fps-lab can put other addresses and names in place of these when it reads it.

umask 077
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
d=fps-lab-collect-$(date -u +%Y%m%dT%H%M%SZ)
mkdir "$d" || exit 1

# get FILE COMMAND...: what a command says; where it fails, missing.txt tells why.
get() { f=$1; shift; "$@" >"$d/$f" 2>"$d/error" || echo "$f: $*: $(head -n 1 "$d/error")" >>"$d/missing.txt"; }

# What was read, and by what.
about() { echo "fps-lab-collect 1"; ip -V; echo "kernel $(uname -r)"; echo "user $(id -u)"; }
get about.txt about

# Links, addresses, routes of all tables, rules.
get link.json ip -j -d link
get addr.json ip -j -d addr
if [ "$(head -c 1 "$d/addr.json")" != "[" ]; then echo "this ip(8) prints no JSON ($(ip -V 2>&1 | head -n 1)): put one of iproute2 4.17 or newer first in PATH" >&2; rm -r "$d"; exit 1; fi
get route4.json ip -j -d -4 route show table all
get route6.json ip -j -d -6 route show table all
get rule4.json ip -j -d -4 rule
get rule6.json ip -j -d -6 rule

# The names of tables, without comments.
tables() { cat /etc/iproute2/rt_tables /etc/iproute2/rt_tables.d/*.conf /usr/*/iproute2/rt_tables 2>/dev/null | grep -v "^#" || true; }
get tables.txt tables

# The firewall, as data and as text without counters; the names of tables of the older iptables.
get nft.json nft -j list ruleset
get nft.txt nft -s list ruleset
legacy() { cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null || true; }
get legacy.txt legacy

# Network settings of the kernel, but for those that are secrets.
settings() { sysctl net | grep -v -e secret -e fastopen_key; }
get sysctl.txt settings

# What answers for names. systemd-resolved is asked only where it runs: to ask would start it.
if [ -e /etc/resolv.conf ]; then get resolv.conf cat /etc/resolv.conf; fi
if [ -L /etc/resolv.conf ]; then get resolv.link readlink /etc/resolv.conf; fi
if [ -d /run/systemd/resolve ]; then get resolvectl.txt resolvectl status --no-pager; fi

# One archive; without the user's name where tar can leave it out, uncompressed where there is no gzip.
rm -f "$d/error"
a=$d.tar.gz
tar --owner=0 --group=0 --numeric-owner -czf "$a" "$d" 2>/dev/null || tar -czf "$a" "$d" 2>/dev/null || { rm -f "$a"; a=$d.tar; tar -cf "$a" "$d"; } || exit 1
rm -r "$d"
if [ -n "$SUDO_UID" ]; then chown "$SUDO_UID" "$a"; fi
echo "wrote $a"
