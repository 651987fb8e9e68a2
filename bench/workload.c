/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes up the jobs of a big GPU cluster: what size, for whom, waiting for
 * what. The shares below are a guess at a busy site's week, chosen so that
 * every form of string that Slurm sends occurs and that few users own most of
 * the jobs. What each job computes is nobody's business: none ever runs.
 */
#include "workload.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct gpu_class {
    const char *type;      /* NULL: any */
    const char *partition; /* a list: whichever is free first */
    uint32_t weight;
} gpu_classes[] = {
    {"a100", "a100", 30}, {"h100", "h100", 26},    {"l40s", "l40s", 10},
    {NULL, "all", 8},     {NULL, "a100", 8},       {NULL, "short", 6},
    {"h100", "large", 4}, {"a100", "a100,all", 4}, {NULL, "a100,h100,l40s", 4},
};

/* On nodes that are switched on when a job wants them. */
static const struct gpu_class cloud_class = {"h200", "cloud", 0};

static const char *const projects[] = {
    "train-resnet", "llm-pretrain", "llm-eval",  "diffusion",
    "md-gromacs",   "cfd-openfoam", "protein",   "sweep",
    "notebook",     "render",       "seismic",   "weather",
    "ner-finetune", "rl-atari",     "dock-vina", "fold",
};

static const char *const features[] = {
    "ib",
    "ib|nvlink",
    "mem1tb|mem2tb",
};

static uint32_t random_below(struct workload *w, uint32_t limit)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)((w->random >> 32) * limit >> 32);
}

bool workload_chance(struct workload *w, uint32_t about)
{
    return random_below(w, about) == 0;
}

static const struct gpu_class *choose_class(struct workload *w)
{
    uint32_t total = 0, at = 0;
    for (size_t i = 0; i < sizeof(gpu_classes) / sizeof(*gpu_classes); i++)
        total += gpu_classes[i].weight;
    uint32_t drawn = random_below(w, total);
    while (drawn >= gpu_classes[at].weight)
        drawn -= gpu_classes[at++].weight;
    return &gpu_classes[at];
}

/* Few users have most of the jobs: the square leans to the low numbers. */
static uint32_t choose_user(struct workload *w)
{
    uint64_t draw = random_below(w, 1 << 16);
    return (uint32_t)(draw * draw * w->users >> 32);
}

static void set_names(struct workload *w, struct job *job, uint32_t user)
{
    job_desc_msg_t *d = &job->desc;
    size_t count = sizeof(projects) / sizeof(*projects);
    const char *project = projects[random_below(w, (uint32_t)count)];
    uint32_t run = random_below(w, 5000);
    d->user_id = w->first_uid + user;
    d->group_id = w->gid;
    snprintf(job->account, JOB_TEXT_SIZE, "lab%02u", user % w->accounts + 1);
    snprintf(job->name, JOB_TEXT_SIZE, "%s-%u", project, run);
    snprintf(job->home, JOB_TEXT_SIZE, "HOME=/home/user%03u", user + 1);
    const char *home = job->home + strlen("HOME=");
    snprintf(job->directory, JOB_TEXT_SIZE, "%s/%s/run%u", home, project, run);
    snprintf(job->output, JOB_TEXT_SIZE, "%s/%s/%%x-%%j.out", home, project);
    snprintf(job->error, JOB_TEXT_SIZE, "%s/%s/%%x-%%j.err", home, project);
    snprintf(job->command, JOB_TEXT_SIZE, "%s/%s/submit.sh", home, project);
    d->account = job->account;
    d->name = job->name;
    d->work_dir = job->directory;
    d->std_out = job->output;
    d->std_err = job->error;
    d->argc = 1;
    d->argv = job->argv;
    job->argv[0] = job->command;
}

static void set_script(struct job *job)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    static char script[] = "#!/bin/sh\nexec srun ./train\n";
    job->environment[0] = path;
    job->environment[1] = job->home;
    job->desc.environment = job->environment;
    job->desc.env_size = 2;
    job->desc.script = script;
}

static uint32_t choose_nodes(struct workload *w)
{
    if (!workload_chance(w, 5))
        return 1;
    uint32_t nodes = 2U << random_below(w, 4);
    return workload_chance(w, 40) ? nodes * 8 : nodes;
}

/* Slurm 22.05 says "gres:gpu:…", later versions "gres/gpu:…". */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(24, 5, 0)
#define GPU_NAME "gres/gpu"
#else
#define GPU_NAME "gres:gpu"
#endif

static void
set_size(struct workload *w, struct job *job, const struct gpu_class *class)
{
    job_desc_msg_t *d = &job->desc;
    uint32_t nodes = choose_nodes(w);
    uint32_t gpus = nodes > 1 ? 8 : 1U << random_below(w, 4);
    d->partition = (char *)(uintptr_t) class->partition;
    d->min_nodes = nodes;
    d->max_nodes = nodes;
    d->num_tasks = nodes;
    d->ntasks_per_node = 1;
    d->cpus_per_task = (uint16_t)(gpus * 4);
    d->min_cpus = nodes * gpus * 4;
    d->pn_min_memory = UINT64_C(16000) * gpus;
    d->time_limit = 60 * 24 * (1 + random_below(w, 14));
    if (workload_chance(w, 20)) /* no GPU at all */
        return;
    if (class->type)
        snprintf(job->gpus, JOB_TEXT_SIZE, GPU_NAME ":%s:%u", class->type,
                 gpus);
    else
        snprintf(job->gpus, JOB_TEXT_SIZE, GPU_NAME ":%u", gpus);
    d->tres_per_node = job->gpus;
}

static void set_extras(struct workload *w, struct job *job)
{
    static char license[] = "matlab:1";
    job_desc_msg_t *d = &job->desc;
    if (workload_chance(w, 8)) {
        snprintf(job->comment, JOB_TEXT_SIZE, "ticket=%u,priority=%s",
                 random_below(w, 100000),
                 workload_chance(w, 2) ? "paper" : "routine");
        d->comment = job->comment;
    }
    if (workload_chance(w, 50))
        d->licenses = license;
}

static void job_make(struct workload *w,
                     struct job *job,
                     uint32_t user,
                     const struct gpu_class *class)
{
    memset(job, 0, sizeof(*job));
    slurm_init_job_desc_msg(&job->desc);
    set_names(w, job, user);
    set_size(w, job, class);
    set_extras(w, job);
}

void workload_next_running(struct workload *w, struct submission *ret)
{
    bool on_cloud = workload_chance(w, 40);
    const struct gpu_class *class = on_cloud ? &cloud_class : choose_class(w);
    struct job *job = &ret->components[0];
    job_make(w, job, choose_user(w), class);
    ret->count = 1;
    /* An allocation needs no script, so that no slurmd has to run one. It
     * outlives every benchmark. */
    job->desc.immediate = 1;
    job->desc.time_limit = 60 * 24 * 365;
}

static void set_waiting(struct workload *w, struct job *job)
{
    job_desc_msg_t *d = &job->desc;
    set_script(job);
    d->begin_time = time(NULL) + w->begin_after_s + random_below(w, 86400);
    if (workload_chance(w, 33))
        d->priority = 0; /* held */
    if (workload_chance(w, 16)) {
        size_t count = sizeof(features) / sizeof(*features);
        const char *feature = features[random_below(w, (uint32_t)count)];
        d->features = (char *)(uintptr_t)feature;
    }
    if (workload_chance(w, 50)) {
        uint32_t tasks = 3 + random_below(w, 29);
        snprintf(job->array, JOB_TEXT_SIZE, "1-%u%s", tasks,
                 workload_chance(w, 2) ? "%4" : "");
        d->array_inx = job->array;
    } else if (w->last_job_id && workload_chance(w, 20)) {
        snprintf(job->dependency, JOB_TEXT_SIZE, "afterok:%u", w->last_job_id);
        d->dependency = job->dependency;
    }
}

void workload_next_pending(struct workload *w, struct submission *ret)
{
    uint32_t user = choose_user(w);
    ret->count = workload_chance(w, 500) ? 2 : 1;
    for (uint32_t i = 0; i < ret->count; i++) {
        struct job *job = &ret->components[i];
        job_make(w, job, user, choose_class(w));
        set_waiting(w, job);
        if (ret->count == 1)
            continue;
        /* Slurm takes neither from a component. */
        job->desc.array_inx = NULL;
        job->desc.dependency = NULL;
    }
}
