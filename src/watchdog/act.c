/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog act": does what people ask for on the dashboard. The serving
 * process has no rights beyond reading; this child of it, which is started
 * before it gives up being root, keeps them and listens to nobody else. For
 * each action it runs one of Slurm's own commands as the user it is for, so
 * that Slurm decides what he may, and writes a line to the audit log, which the
 * serving process can read and cannot change.
 *
 * What it is told it reads as strictly as if it came from anywhere: the users
 * it becomes are people (uid 1000 and above) or Slurm's own user, and that one
 * submits nothing. Where it is not root it acts as its own user alone.
 */
#include "watchdog/act.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/utf8.h"
#include "cluster/message.h"
#include "watchdog/action-request.h"
#include "watchdog/subcommand.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_NS (60 * NS_PER_S)

enum {
    RUNNING_MAX = 16,
    OUTPUT_MAX = 1024,
    SCRIPT_MAX = 32 * 1024, /* of one that is read; the rest is cut off */
    PEOPLE_FIRST = 1000,    /* uid; Debian's and Red Hat's first */
    NOBODY = 65534,
    ENVIRONMENT_MAX = 8
};

struct act {
    const struct settings *settings;
    struct loop *loop;
    struct loop_source *on_message;
    struct process_table *processes;
    int audit_fd;
    size_t running;
};

/* One action, from the message to the answer. */
struct deed {
    struct act *act;
    int64_t id;
    char who[64], role[16], as[64], from[64];
    struct action_request request;
    struct process *process;
    struct text output;
    char job[32]; /* that was submitted */
};

/* ---- the audit log ------------------------------------------------------- */

static int open_audit(struct act *act, struct error *err)
{
    char path[PATH_MAX];
    const struct passwd *reader =
        *act->settings->user ? getpwnam(act->settings->user) : NULL;
    snprintf(path, sizeof(path), "%s/" ACT_AUDIT_FILE, act->settings->state);
    act->audit_fd = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (act->audit_fd < 0)
        return error_errno(err, errno, "%s", path);
    if (reader && geteuid() == 0 &&
        fchown(act->audit_fd, 0, reader->pw_gid) < 0)
        return error_errno(err, errno, "%s", path);
    return 0;
}

static void
audit(const struct deed *deed, const char *outcome, const char *text)
{
    char time[32], targets[1024];
    time_t now = (time_t)(clock_realtime_ns() / NS_PER_S);
    struct tm tm;
    strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    action_request_targets(&deed->request, targets, sizeof(targets));
    json_t *line = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "time", time, "who",
        deed->who, "role", deed->role, "as", deed->as, "from", deed->from,
        "action", action_verb_names[deed->request.verb], "of",
        *deed->job ? deed->job : targets, "outcome", outcome, "text", text);
    char *dump = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    if (!dump || dprintf(deed->act->audit_fd, "%s\n", dump) < 0)
        log_error("the audit log cannot be written: %s", strerror(errno));
    log_notice("%s (%s, from %s): %s %s as %s: %s%s%s", deed->who, deed->role,
               deed->from, action_verb_names[deed->request.verb],
               *deed->job ? deed->job : targets, deed->as, outcome,
               *text ? ": " : "", text);
    free(dump);
}

/* ---- answers ------------------------------------------------------------- */

static void answer(const struct deed *deed, bool good, const char *text)
{
    json_t *message = json_pack("{s:s, s:I, s:b, s:s, s:s}", "type", ACT_ANSWER,
                                "id", (json_int_t)deed->id, "good", good,
                                "text", text, "job", deed->job);
    char *dump = message ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    if (!dump || send(CHILD_CHANNEL_FD, dump, strlen(dump), MSG_NOSIGNAL) < 0)
        log_error("an outcome cannot be told: %s", strerror(errno));
    free(dump);
}

static void deed_free(struct deed *deed)
{
    process_free(deed->process);
    action_request_deinit(&deed->request);
    text_deinit(&deed->output);
    free(deed);
}

/* The deed ends here. */
static void finish(struct deed *deed, bool good, const char *text)
{
    /* That a script was read is of interest, not what it is. */
    bool read = good && deed->request.verb == ACTION_SCRIPT;
    audit(deed, good ? "done" : "refused", read ? "" : text);
    answer(deed, good, text);
    deed_free(deed);
}

/* ---- the command --------------------------------------------------------- */

/* Bytes that are no UTF-8 would make the whole answer none. */
static void add_clean(struct text *output, const char *line)
{
    while (*line) {
        uint32_t code;
        size_t size = utf8_decode(line, &code);
        if (size > 0)
            text_add_bytes(output, line, size);
        else
            text_add_char(output, '?');
        line += size > 0 ? size : 1;
    }
}

static void add_script_line(struct text *output, const char *line)
{
    if (output->size > SCRIPT_MAX)
        return;
    add_clean(output, line);
    text_add_char(output, '\n');
    if (output->size > SCRIPT_MAX)
        text_add(output, "... (the rest is not shown)\n");
}

static void on_line(void *context, const char *line)
{
    struct deed *deed = context;
    if (deed->request.verb == ACTION_SCRIPT) {
        add_script_line(&deed->output, line);
        return;
    }
    /* "17", or "17;cluster": what --parsable prints. */
    size_t digits = strspn(line, "0123456789");
    if (deed->request.verb == ACTION_SUBMIT && digits > 0 &&
        (line[digits] == '\0' || line[digits] == ';')) {
        snprintf(deed->job, sizeof(deed->job), "%.*s", (int)digits, line);
        return;
    }
    if (deed->output.size > OUTPUT_MAX)
        return;
    if (deed->output.size > 0)
        text_add(&deed->output, "; ");
    add_clean(&deed->output, line);
}

/* sbatch takes none that begins otherwise. */
static bool is_script(struct deed *deed)
{
    const char *text = deed->output.size ? text_str(&deed->output) : NULL;
    return text && strncmp(text, "#!", 2) == 0;
}

/* scancel and "scontrol write" may end with code 0 although they were refused.
 */
static bool has_failed(struct deed *deed, int status)
{
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
           (deed->request.verb == ACTION_CANCEL && deed->output.size > 0) ||
           (deed->request.verb == ACTION_SUBMIT && !*deed->job) ||
           (deed->request.verb == ACTION_SCRIPT && !is_script(deed));
}

static void on_ended(void *context, struct process *process, int status)
{
    struct deed *deed = context;
    (void)process;
    bool failed = has_failed(deed, status);
    deed->act->running--;
    if (failed && deed->output.size == 0) {
        char text[128];
        process_status_text(status, text, sizeof(text));
        text_addf(&deed->output, "the command %s", text);
    }
    const char *text = text_str(&deed->output);
    finish(deed, !failed, text ? text : "");
}

static char *make_variable(const char *name, const char *value)
{
    char *variable;
    return asprintf(&variable, "%s=%s", name, value) < 0 ? NULL : variable;
}

/* What a login has; nothing of ours. */
static void fill_environment(const struct act *act,
                             const struct passwd *user,
                             char *ret_variables[ENVIRONMENT_MAX + 1])
{
    const char *path = getenv("PATH"), *conf = getenv("SLURM_CONF");
    const struct {
        const char *name, *value;
    } all[ENVIRONMENT_MAX] = {
        {"PATH", path ? path : "/usr/local/bin:/usr/bin:/bin"},
        {"HOME", user->pw_dir},
        {"USER", user->pw_name},
        {"LOGNAME", user->pw_name},
        {"SHELL", *user->pw_shell ? user->pw_shell : "/bin/sh"},
        {"LANG", "C.UTF-8"},
        {"SLURM_CONF",
         *act->settings->slurm_conf ? act->settings->slurm_conf : conf},
    };
    size_t count = 0;
    for (size_t i = 0; i < ENVIRONMENT_MAX; i++)
        if (all[i].value && *all[i].value)
            ret_variables[count++] = make_variable(all[i].name, all[i].value);
    ret_variables[count] = NULL;
}

static int run(struct deed *deed, const struct passwd *user, struct error *err)
{
    struct action_words words;
    char *environment[ENVIRONMENT_MAX + 1];
    bool other = strcmp(deed->who, deed->as) != 0;
    if (action_request_words(&deed->request, other ? deed->who : NULL,
                             user->pw_dir, &words) < 0)
        return error_errno(err, ENOMEM, "an action");
    fill_environment(deed->act, user, environment);
    const struct process_spec spec = {
        .arguments = (const char *const *)words.words,
        .environment = (const char *const *)environment,
        .user = user->pw_uid == geteuid() ? NULL : deed->as,
        .input = deed->request.script,
        .line = on_line,
        .ended = on_ended,
        .context = deed,
        .deadline_ns = clock_monotonic_ns() + DEADLINE_NS,
    };
    int r = process_start(deed->act->processes, &spec, &deed->process, err);
    for (size_t i = 0; environment[i]; i++)
        free(environment[i]);
    action_words_deinit(&words);
    return r;
}

/* May we become AS for this? */
static int find_user(const struct deed *deed,
                     const struct passwd **ret_user,
                     struct error *err)
{
    const char *service = deed->act->settings->user;
    const struct passwd *user = getpwnam(deed->as);
    if (!user)
        return error_set(err, ESRCH,
                         "there is no user \"%s\" on this machine; type: "
                         "gpu-watchdog user add %s",
                         deed->as, deed->as);
    bool people = user->pw_uid >= PEOPLE_FIRST && user->pw_uid != NOBODY;
    bool slurm =
        *service ? strcmp(deed->as, service) == 0 : user->pw_uid == geteuid();
    bool submits = deed->request.verb == ACTION_SUBMIT;
    if (submits && user->pw_uid == 0)
        return error_set(err, EPERM, "nothing is submitted as root");
    if (geteuid() != 0 && user->pw_uid != geteuid())
        return error_set(err, EPERM,
                         "the dashboard does not run as root, and can act as "
                         "its own user alone");
    if (!people && (!slurm || submits))
        return error_set(err, EPERM, "\"%s\" is a user of the system",
                         deed->as);
    *ret_user = user;
    return 0;
}

static void begin(struct deed *deed)
{
    struct error err = {.text = ""};
    const struct passwd *user = NULL;
    int r = deed->act->running < RUNNING_MAX
                ? find_user(deed, &user, &err)
                : error_set(&err, EBUSY, "too much is being done at once");
    if (r == 0)
        r = run(deed, user, &err);
    if (r == 0)
        deed->act->running++;
    else
        finish(deed, false, err.text);
}

/* ---- messages ------------------------------------------------------------ */

static int
read_deed(struct deed *deed, const json_t *message, struct error *err)
{
    int r = message_read_number(message, "id", 1, INT64_MAX, &deed->id, err);
    if (r == 0)
        r = message_read_text(message, "who", deed->who, sizeof(deed->who),
                              err);
    if (r == 0)
        r = message_read_text(message, "role", deed->role, sizeof(deed->role),
                              err);
    if (r == 0)
        r = message_read_text(message, "as", deed->as, sizeof(deed->as), err);
    if (r == 0)
        r = message_read_text(message, "from", deed->from, sizeof(deed->from),
                              err);
    if (r == 0)
        r = action_request_read(json_object_get(message, "request"),
                                &deed->request, err);
    return r;
}

static void take_message(struct act *act, const char *bytes, size_t size)
{
    struct error err = {.text = ""};
    json_t *message;
    struct deed *deed = calloc(1, sizeof(*deed));
    int r = deed ? message_decode(bytes, size, &message, &err)
                 : error_errno(&err, ENOMEM, "an action");
    if (r == 0) {
        deed->act = act;
        r = read_deed(deed, message, &err);
        json_decref(message);
    }
    if (r == 0) {
        begin(deed);
        return;
    }
    log_error("a message that makes no sense: %s", err.text);
    if (deed)
        deed_free(deed);
}

static void on_message(void *context, uint32_t events)
{
    static char bytes[MESSAGE_SIZE_MAX];
    struct act *act = context;
    (void)events;
    ssize_t size = recv(CHILD_CHANNEL_FD, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size > 0)
        take_message(act, bytes, (size_t)size);
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        loop_stop(act->loop, EXIT_SUCCESS); /* who asked us has ended */
}

/* ---- life ---------------------------------------------------------------- */

static int start(struct act *act, struct error *err)
{
    int r = loop_new(&act->loop, err);
    if (r == 0)
        r = process_table_new(act->loop, false, &act->processes, err);
    if (r == 0)
        r = open_audit(act, err);
    if (r == 0)
        r = loop_add_fd(act->loop, CHILD_CHANNEL_FD, EPOLLIN, on_message, act,
                        &act->on_message, err);
    return r;
}

int act_main(const struct settings *settings)
{
    struct act act = {.settings = settings, .audit_fd = -1};
    struct error err = {.text = ""};
    if (!child_follow_parent() || chdir("/") < 0)
        return EXIT_FAILURE;
    int r = start(&act, &err);
    if (r == 0)
        r = loop_run(act.loop);
    else
        log_error("%s", err.text);
    /* Commands that run go on, and are reaped by whoever reaps orphans. */
    return r < 0 ? EXIT_FAILURE : r;
}
