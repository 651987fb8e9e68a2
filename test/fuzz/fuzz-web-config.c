/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web configuration file, and through it the reading of YAML documents.
 * What is taken must keep the promises of web-config.h.
 */
#include "fuzz.h"

#include "http/web-config.h"

static void check_taken(const struct http_web_config *config)
{
    for (size_t i = 0; i < config->user_count; i++) {
        fuzz_check(http_bcrypt_is_valid(config->users[i].hash));
        fuzz_check(!strchr(config->users[i].name, ':'));
    }
    for (size_t i = 0; i < HTTP_WEB_HEADERS; i++)
        fuzz_check(!config->headers[i].value ||
                   !strpbrk(config->headers[i].value, "\r\n"));
    fuzz_check(config->tls.version_min <= config->tls.version_max ||
               !config->tls.enabled);
    fuzz_check(config->rate_interval_ns >= 0 && config->rate_burst >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_web_config config;
    struct error err = {""};
    int r = http_web_config_parse("web.yml", (const char *)data, size, &config,
                                  &err);
    if (r == 0) {
        check_taken(&config);
        http_web_config_deinit(&config);
    } else {
        fuzz_check(err.text[0] != '\0');
    }
    return 0;
}
