/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the list of members: what is written reads back, a damaged file is
 * refused and left alone, names are given out.
 */
#include "cluster/roster.h"

#include "base/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int in_a_folder(void **state)
{
    static char folder[] = "/tmp/test-roster-XXXXXX";
    strcpy(strrchr(folder, '-'), "-XXXXXX");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/members.json", (char *)*state);
    unlink(path);
    return rmdir(*state);
}

static void fill(struct member *m, unsigned char byte)
{
    memset(&m->pin, byte, sizeof(m->pin));
    strcpy(m->host, "box");
    strcpy(m->address, "10.0.0.7");
    strcpy(m->version, "0.1.0");
    m->slurm = 0x160508;
    m->joined_s = 1795000000;
    m->inventory = (struct inventory){
        .cpus = 8,
        .sockets = 1,
        .cores_per_socket = 4,
        .threads_per_core = 2,
        .memory_mb = 1000,
        .machine_memory_mb = 64000,
        .memory_limited = true,
    };
    m->inventory.gpus.devices = calloc(1, sizeof(struct gpu_device));
    m->inventory.gpus.count = 1;
    strcpy(m->inventory.gpus.devices[0].type, "h100");
    strcpy(m->inventory.gpus.devices[0].file, "/dev/nvidia5");
}

static void members_read_back_as_they_were_written(void **state)
{
    char path[128];
    struct error err = {.text = ""};
    struct roster roster, again;
    snprintf(path, sizeof(path), "%s/members.json", (char *)*state);

    assert_int_equal(roster_open(path, &roster, &err), 0);
    assert_int_equal(roster.count, 0);
    fill(roster_add(&roster, "gpu1"), 1);
    fill(roster_add(&roster, "gpu2"), 2);
    assert_int_equal(roster_save(&roster, &err), 0);

    assert_int_equal(roster_open(path, &again, &err), 0);
    assert_int_equal(again.count, 2);
    const struct member *m = roster_find(&again, "gpu2");
    assert_non_null(m);
    assert_ptr_equal(roster_find_pin(&again, &roster.members[1]->pin), m);
    assert_string_equal(m->address, "10.0.0.7");
    assert_int_equal(m->inventory.threads_per_core, 2);
    assert_string_equal(m->inventory.gpus.devices[0].file, "/dev/nvidia5");
    assert_int_equal(m->state, MEMBER_AWAY);
    struct error difference;
    assert_true(inventory_equal(&m->inventory, &roster.members[1]->inventory,
                                &difference));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    roster_close(&again);
    roster_close(&roster);
}

static void a_damaged_file_is_refused_and_left_alone(void **state)
{
    static const char *const damaged[] = {
        "",
        "{",
        "{}",
        "{\"format\": 2, \"members\": []}",
        "{\"format\": 1, \"members\": [{\"name\": \"a\"}]}",
        "{\"format\": 1, \"members\": [{\"name\": \"../a\"}]}",
    };
    char path[128];
    snprintf(path, sizeof(path), "%s/members.json", (char *)*state);
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        FILE *file = fopen(path, "w");
        fputs(damaged[i], file);
        fclose(file);
        chmod(path, 0600);
        struct roster roster;
        struct error err = {.text = ""};
        assert_int_equal(roster_open(path, &roster, &err), -EBADMSG);
        assert_non_null(strstr(err.text, "is damaged"));
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, strlen(damaged[i]));
    }
}

static void names_are_given_out_without_gaps_or_clashes(void **state)
{
    (void)state;
    struct roster roster = {.count = 0};
    char name[JOIN_NAME_SIZE];
    roster_pick_name(&roster, "lab", "box", name);
    assert_string_equal(name, "box");
    roster_add(&roster, name);
    roster_pick_name(&roster, "lab", "box", name);
    assert_string_equal(name, "lab-1");
    roster_add(&roster, name);
    roster_pick_name(&roster, "lab", "not a name", name);
    assert_string_equal(name, "lab-2");
    roster_add(&roster, name);
    roster_remove(&roster, roster_find(&roster, "lab-1"));
    roster_pick_name(&roster, "lab", "", name);
    assert_string_equal(name, "lab-1");
    roster_close(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_read_back_as_they_were_written,
                                        in_a_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            a_damaged_file_is_refused_and_left_alone, in_a_folder,
            remove_folder),
        cmocka_unit_test(names_are_given_out_without_gaps_or_clashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
