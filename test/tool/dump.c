/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing records. A field is printed by its own name, so that what is shown
 * is the record as it lies; what is zero is left out.
 */
#include "test/tool/dump.h"

#include <inttypes.h>
#include <stdio.h>

struct dump {
    const struct snapshot *snapshot;
    enum snapshot_part_kind kind;
};

static void
print_string(const struct dump *d, const char *name, snapshot_string string)
{
    if (string)
        printf(" %s=%s", name, snapshot_text(d->snapshot, d->kind, string));
}

static void print_number(const char *name, int64_t value)
{
    if (value)
        printf(" %s=%" PRId64, name, value);
}

static void print_bits(const char *name, uint32_t value)
{
    if (value)
        printf(" %s=0x%" PRIx32, name, value);
}

static void print_real(const char *name, double value)
{
    if (value != 0)
        printf(" %s=%g", name, value);
}

#define STRING(field) print_string(d, #field, r->field)
#define NUMBER(field) print_number(#field, (int64_t)r->field)
#define BITS(field) print_bits(#field, r->field)
#define REAL(field) print_real(#field, r->field)

static void dump_node(const struct dump *d, const void *record)
{
    const struct node_record *r = record;
    STRING(name);
    BITS(state);
    STRING(state_reason);
    STRING(reason_user);
    NUMBER(reason_time_s);
    STRING(reservation);
    STRING(features);
    STRING(address);
    STRING(slurmd_version);
    NUMBER(slot);
    BITS(has);
    NUMBER(cpus);
    NUMBER(cpus_allocated);
    NUMBER(cpus_effective);
    NUMBER(cpu_load_centi);
    NUMBER(power_watts);
    NUMBER(weight);
    NUMBER(memory_mib);
    NUMBER(memory_allocated_mib);
    NUMBER(memory_effective_mib);
    NUMBER(memory_free_mib);
    NUMBER(boot_time_s);
    NUMBER(slurmd_start_time_s);
    NUMBER(last_busy_s);
    NUMBER(gres_first);
    NUMBER(gres_count);
}

static void dump_gres(const struct dump *d, const void *record)
{
    const struct gres_record *r = record;
    STRING(name);
    STRING(type);
    NUMBER(total);
    NUMBER(used);
}

static void dump_partition(const struct dump *d, const void *record)
{
    const struct partition_record *r = record;
    STRING(name);
    STRING(nodes);
    STRING(qos);
    NUMBER(state);
    BITS(flags);
    NUMBER(total_nodes);
    NUMBER(total_cpus);
    NUMBER(max_time_minutes);
    NUMBER(priority_tier);
    NUMBER(range_first);
    NUMBER(range_count);
}

static void dump_range(const struct dump *d, const void *record)
{
    const struct node_range_record *r = record;
    (void)d;
    printf(" %" PRIu32 "-%" PRIu32, r->first_slot, r->last_slot);
}

static void dump_job(const struct dump *d, const void *record)
{
    const struct job_record *r = record;
    NUMBER(job_id);
    BITS(state);
    STRING(name);
    STRING(user);
    NUMBER(user_id);
    STRING(account);
    STRING(partition);
    STRING(qos);
    STRING(reason);
    STRING(reason_detail);
    STRING(nodes);
    STRING(reservation);
    STRING(licenses);
    STRING(dependency);
    STRING(tres);
    NUMBER(array_job_id);
    NUMBER(array_task_id);
    NUMBER(het_job_id);
    NUMBER(het_offset);
    BITS(has);
    NUMBER(task_count);
    NUMBER(cpus);
    NUMBER(nodes_count);
    NUMBER(nodes_max);
    NUMBER(priority);
    NUMBER(time_limit_minutes);
    NUMBER(restarts);
    NUMBER(memory_mib);
    NUMBER(submit_time_s);
    NUMBER(eligible_time_s);
    NUMBER(start_time_s);
    NUMBER(end_time_s);
    NUMBER(suspend_time_s);
    NUMBER(gres_first);
    NUMBER(gres_count);
}

static void dump_statistics(const struct dump *d, const void *record)
{
    const struct statistics_record *r = record;
    (void)d;
    NUMBER(request_time_s);
    NUMBER(reset_time_s);
    BITS(has);
    NUMBER(server_threads);
    NUMBER(agent_queue_size);
    NUMBER(latency_us);
    NUMBER(jobs_submitted);
    NUMBER(jobs_started);
    NUMBER(jobs_completed);
    NUMBER(jobs_canceled);
    NUMBER(jobs_failed);
    NUMBER(jobs_pending);
    NUMBER(jobs_running);
    NUMBER(schedule_cycles);
    NUMBER(schedule_cycle_last_us);
    NUMBER(schedule_cycle_max_us);
    NUMBER(schedule_cycle_sum_us);
    NUMBER(backfill_cycles);
    NUMBER(backfill_cycle_last_us);
    NUMBER(backfilled_jobs);
}

static void dump_rpc(const struct dump *d, const void *record)
{
    const struct rpc_record *r = record;
    NUMBER(id);
    STRING(name);
    NUMBER(count);
    NUMBER(time_us);
}

static void dump_reservation(const struct dump *d, const void *record)
{
    const struct reservation_record *r = record;
    STRING(name);
    STRING(users);
    STRING(accounts);
    STRING(partition);
    STRING(nodes);
    STRING(flags);
    STRING(tres);
    NUMBER(node_count);
    NUMBER(core_count);
    NUMBER(start_time_s);
    NUMBER(end_time_s);
}

static void dump_license(const struct dump *d, const void *record)
{
    const struct license_record *r = record;
    STRING(name);
    NUMBER(remote);
    NUMBER(total);
    NUMBER(used);
    NUMBER(available);
    NUMBER(reserved);
}

static void dump_association(const struct dump *d, const void *record)
{
    const struct association_record *r = record;
    NUMBER(id);
    STRING(account);
    STRING(user);
    STRING(partition);
    STRING(parent);
    BITS(has);
    NUMBER(shares_raw);
    NUMBER(jobs_running);
    REAL(shares_norm);
    REAL(usage_raw);
    REAL(usage_norm);
    REAL(usage_effective);
    REAL(level_fs);
    REAL(fairshare_factor);
    NUMBER(limit_first);
    NUMBER(limit_count);
}

static void dump_limit(const struct dump *d, const void *record)
{
    const struct limit_record *r = record;
    STRING(kind);
    STRING(resource);
    BITS(has);
    REAL(limit);
    REAL(used);
}

static void dump_qos(const struct dump *d, const void *record)
{
    const struct qos_record *r = record;
    STRING(name);
    NUMBER(priority);
    REAL(usage_factor);
    REAL(usage_raw);
    NUMBER(jobs_running);
    NUMBER(jobs_submitted);
    NUMBER(limit_first);
    NUMBER(limit_count);
}

typedef void dump_function(const struct dump *dump, const void *record);

static const struct {
    enum snapshot_part_kind kind;
    unsigned int array;
    const char *name;
    dump_function *function;
} arrays[] = {
    {SNAPSHOT_NODES, 0, "node", dump_node},
    {SNAPSHOT_NODES, 1, "node gres", dump_gres},
    {SNAPSHOT_PARTITIONS, 0, "partition", dump_partition},
    {SNAPSHOT_PARTITIONS, 1, "slots", dump_range},
    {SNAPSHOT_JOBS, 0, "job", dump_job},
    {SNAPSHOT_JOBS, 1, "job gres", dump_gres},
    {SNAPSHOT_STATISTICS, 0, "statistics", dump_statistics},
    {SNAPSHOT_STATISTICS, 1, "rpc", dump_rpc},
    {SNAPSHOT_STATISTICS, 2, "user", dump_rpc},
    {SNAPSHOT_RESERVATIONS, 0, "reservation", dump_reservation},
    {SNAPSHOT_LICENSES, 0, "license", dump_license},
    {SNAPSHOT_ASSOCIATIONS, 0, "association", dump_association},
    {SNAPSHOT_ASSOCIATIONS, 1, "limit", dump_limit},
    {SNAPSHOT_ASSOCIATIONS, 2, "qos", dump_qos},
};

void dump_snapshot(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        struct dump dump = {.snapshot = snapshot, .kind = arrays[i].kind};
        size_t count;
        const char *records =
            snapshot_array(snapshot, arrays[i].kind, arrays[i].array, &count);
        size_t size = snapshot_record_size(arrays[i].kind, arrays[i].array);
        for (size_t k = 0; k < count; k++) {
            printf("%s %zu:", arrays[i].name, k);
            arrays[i].function(&dump, records + k * size);
            printf("\n");
        }
    }
}
