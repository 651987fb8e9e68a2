/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of the process that may become anybody: nothing that came from
 * outside may end up where a command looks for its options. "-" alone is no
 * option: it sends a job's script to standard output. */
#include "fuzz.h"

#include "watchdog/action-request.h"

#include <string.h>

static void check_word(const struct action_words *words, size_t i)
{
    static const char *const known[] = {
        "--parsable",       "--chdir=/home", "--job-name=", "--partition=",
        "--account=",       "--qos=",        "--nodes=",    "--ntasks=",
        "--cpus-per-task=", "--mem=",        "--gres=gpu:", "--time=",
    };
    const char *word = words->words[i];
    bool good = *word != '-' || strcmp(word, "-") == 0;
    for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
        good |= strncmp(word, known[k], strlen(known[k])) == 0;
    fuzz_check(good && !strchr(word, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct action_request request;
    struct action_words words;
    char targets[64];
    if (action_request_parse((const char *)data, size, &request, NULL, &err) <
        0)
        return 0;
    action_request_targets(&request, targets, sizeof(targets));
    fuzz_check(action_request_words(&request, "who", "/home", &words) == 0);
    fuzz_check(words.count > 1);
    for (size_t i = 1; i < words.count; i++)
        check_word(&words, i);
    action_words_deinit(&words);
    action_request_deinit(&request);
    return 0;
}
