# shellcheck shell=bash disable=SC2034 # read by the scripts that source it
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The site that the big cluster is: its kinds of nodes, its partitions and its
# people, for SITE_NODES nodes. workload.c submits to the same partitions, GPU types
# and users. Sourced, never run; pure text, starts nothing.

# Name of a kind of node, share of all nodes in percent, GPU, features.
SITE_KINDS='
a100   40  a100  nvlink,ib,mem1tb
h100   40  h100  nvlink,ib,mem2tb
l40s   15  l40s  ib,mem1tb
cloud   5  h200  nvlink,mem2tb
'

SITE_GPUS=8
SITE_CPUS=64

SITE_USERS=200
SITE_FIRST_UID=20001
SITE_GID=20000

# A partition and the kinds of nodes in it. The first is the default one.
SITE_PARTITIONS='
all    a100 h100 l40s
a100   a100
h100   h100
large  a100 h100
l40s   l40s
short  l40s
cloud  cloud
'

# Fewer nodes than this would leave a kind with none.
SITE_NODES_MIN=20

# kind_count KIND: how many nodes of that kind there are; the first kind has what
# rounding leaves.
kind_count() {
    local kind share rest=$SITE_NODES first='' count=0
    while read -r kind share _; do
        [[ -n $kind ]] || continue
        : "${first:=$kind}"
        if [[ $kind != "$first" ]]; then
            count=$((SITE_NODES * share / 100))
            rest=$((rest - count))
            [[ $kind != "$1" ]] || echo "$count"
        fi
    done <<<"$SITE_KINDS"
    [[ $1 != "$first" ]] || echo "$rest"
}

# kind_slice KIND SLICE SLICES: the nodes of the SLICEth of SLICES equal parts of a
# kind, as Slurm writes them; "a100-[00001-00200]".
kind_slice() {
    local count first last
    count=$(kind_count "$1")
    first=$((count * ($2 - 1) / $3 + 1))
    last=$((count * $2 / $3))
    ((last >= first)) || last=$first
    printf '%s-[%05d-%05d]\n' "$1" "$first" "$last"
}

# partition_slice PARTITION SLICE SLICES: the same for all kinds of a partition.
partition_slice() {
    local name kinds kind
    local -a lists=()
    while read -r name kinds; do
        [[ $name == "$1" ]] || continue
        for kind in $kinds; do
            lists+=("$(kind_slice "$kind" "$2" "$3")")
        done
    done <<<"$SITE_PARTITIONS"
    (IFS=, && echo "${lists[*]}")
}

# The node whose slurmd answers for all. No job runs on it: each answer is a
# registration of this one node, at which slurmctld would go through all jobs.
answering_node() {
    printf 'l40s-%05d\n' "$(kind_count l40s)"
}

partition_names() {
    awk 'NF { print $1 }' <<<"$SITE_PARTITIONS"
}

user_name() {
    printf 'user%03d\n' "$1"
}
