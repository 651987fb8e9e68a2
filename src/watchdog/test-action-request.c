/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog/action-request.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The last, as it may jump. */
#include <cmocka.h>

/* The words that BODY becomes, with '|' between them. */
static void words_of(const char *body, char *ret_text, size_t size)
{
    struct error err = {.text = ""};
    struct action_request request;
    struct action_words words;
    if (action_request_parse(body, strlen(body), &request, NULL, &err) < 0)
        fail_msg("%s: %s", body, err.text);
    assert_int_equal(action_request_words(&request, "ann", "/home/ann", &words),
                     0);
    ret_text[0] = '\0';
    for (size_t i = 0; i < words.count; i++) {
        size_t at = strlen(ret_text);
        snprintf(ret_text + at, size - at, "%s%s", i ? "|" : "",
                 words.words[i]);
    }
    action_words_deinit(&words);
    action_request_deinit(&request);
}

static void test_requests_become_slurms_commands(void **state)
{
    (void)state;
    static const struct {
        const char *body, *words;
    } cases[] = {
        {"{\"action\":\"hold\",\"jobs\":[\"17_[3-5,9]\"]}",
         "scontrol|hold|17_[3-5,9]"},
        {"{\"action\":\"cancel\",\"jobs\":[\"17\",\"18_3\"]}",
         "scancel|17|18_3"},
        {"{\"action\":\"hold\",\"jobs\":[\"17\",\"18\"]}",
         "scontrol|hold|17,18"},
        {"{\"jobs\":[\"17\"],\"action\":\"release\"}", "scontrol|release|17"},
        {"{\"action\":\"requeue\",\"jobs\":[\"1+1\"]}", "scontrol|requeue|1+1"},
        {"{\"action\":\"resume\",\"nodes\":[\"n1\",\"n2\"]}",
         "scontrol|update|nodename=n1,n2|state=resume"},
        {"{\"action\":\"drain\",\"nodes\":[\"n1\"],\"reason\":\"bad fan\"}",
         "scontrol|update|nodename=n1|state=drain|reason=bad fan (ann)"},
        {"{\"action\":\"submit\",\"script\":\"#!/bin/sh\\n\"}",
         "sbatch|--parsable|--chdir=/home/ann"},
        {"{\"action\":\"submit\",\"script\":\"#!/bin/sh\\n\",\"name\":\"a b\","
         "\"gpus_per_node\":\"h100:2\",\"memory\":\"8G\",\"time\":\"1-0\"}",
         "sbatch|--parsable|--chdir=/home/ann|--job-name=a "
         "b|--mem=8G|--gres=gpu:h100:2|--time=1-0"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        char words[512];
        words_of(cases[i].body, words, sizeof(words));
        assert_string_equal(words, cases[i].words);
    }
}

static void test_bad_requests_are_told_why(void **state)
{
    (void)state;
    static const struct {
        const char *body, *sentence;
    } cases[] = {
        {"", "no JSON object"},
        {"[]", "no JSON object"},
        {"{}", "action: write cancel"},
        {"{\"action\":\"reboot\"}", "action: write cancel"},
        {"{\"action\":\"cancel\"}", "jobs: missing"},
        {"{\"action\":\"cancel\",\"jobs\":[]}", "1 to 100"},
        {"{\"action\":\"cancel\",\"jobs\":[17]}", "in quotes"},
        {"{\"action\":\"cancel\",\"jobs\":[\"--user=x\"]}", "is none"},
        {"{\"action\":\"cancel\",\"jobs\":[\"\"]}", "is none"},
        {"{\"action\":\"cancel\",\"jobs\":[\"1715]\"]}", "is none"},
        {"{\"action\":\"cancel\",\"jobs\":[\"17_[]\"]}", "is none"},
        {"{\"action\":\"cancel\",\"jobs\":[\"17_[3\"]}", "is none"},
        {"{\"action\":\"cancel\",\"jobs\":[\"17_\"]}", "is none"},
        {"{\"action\":\"cancel\",\"jobs\":[\"17,18\"]}", "is none"},
        {"{\"action\":\"cancel\",\"nodes\":[\"n1\"]}", "means nothing"},
        {"{\"action\":\"drain\",\"nodes\":[\"n1\"]}", "reason: say why"},
        {"{\"action\":\"drain\",\"nodes\":[\"n[1-9]\"],\"reason\":\"x\"}",
         "is none"},
        {"{\"action\":\"drain\",\"nodes\":[\"n1\"],\"reason\":\"a\\nb\"}",
         "one line"},
        {"{\"action\":\"submit\"}", "script: missing"},
        {"{\"action\":\"submit\",\"script\":\"rm -rf\"}", "interpreter"},
        {"{\"action\":\"submit\",\"script\":\"#!/bin/sh\\r\\n\"}", "DOS"},
        {"{\"action\":\"submit\",\"script\":\"#!/bin/sh\\u0000x\"}",
         "no JSON object"},
        {"{\"action\":\"submit\",\"script\":\"#!a\",\"time\":\"1; rm\"}",
         "time: \"1; rm\" cannot be one"},
        {"{\"action\":\"submit\",\"script\":\"#!a\",\"name\":\"--uid=0\"}",
         "name"},
        {"{\"action\":\"submit\",\"script\":\"#!a\",\"uid\":\"0\"}",
         "\"uid\" means nothing"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct error err = {.text = ""};
        struct action_request request;
        if (action_request_parse(cases[i].body, strlen(cases[i].body), &request,
                                 NULL, &err) != -EINVAL)
            fail_msg("%s is taken", cases[i].body);
        if (!strstr(err.text, cases[i].sentence))
            fail_msg("%s: %s", cases[i].body, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_become_slurms_commands),
        cmocka_unit_test(test_bad_requests_are_told_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
