/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small table of jobs is all that the two threads share. The loop fills a
 * free one, the worker takes the oldest, the loop collects it when an eventfd
 * says so. A job keeps its password for as long as it waits and no longer.
 *
 * Outcomes are kept in two rings, so that a flood of wrong passwords pushes no
 * right one out. They never expire: the digest covers the hash, so that a
 * changed password is a new question.
 */
#include "http/auth.h"

#include "base/cleanup.h"
#include "http/credentials.h"

#include <assert.h>
#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
    AUTH_JOBS = 32,
    AUTH_RING_SIZE = 64,
    AUTH_DIGEST_SIZE = 32
};

struct digest {
    unsigned char bytes[AUTH_DIGEST_SIZE];
};

enum job_state {
    JOB_FREE,
    JOB_WAITING,
    JOB_RUNNING,
    JOB_DONE
};

struct job {
    enum job_state state;
    uint64_t sequence; /* the lowest waiting one is next */
    struct digest digest;
    char hash[HTTP_BCRYPT_SIZE + 1];
    struct http_credentials credentials;
    bool known_user; /* else the outcome is a refusal whatever bcrypt says */
    bool granted;
};

struct ring {
    struct digest digests[AUTH_RING_SIZE];
    size_t next;
    size_t filled;
};

struct http_auth {
    struct digest key;
    struct ring granted, denied;
    uint64_t checks;
    uint64_t sequence;
    void (*settled)(void *context);
    void *context;
    struct loop_source *source;
    int event_fd; /* written by the worker when a job is done */

    pthread_t worker;
    bool has_worker;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t wake;
    bool stopping;
    struct job jobs[AUTH_JOBS];
};

static bool ring_has(const struct ring *ring, const struct digest *digest)
{
    for (size_t i = 0; i < ring->filled; i++)
        if (memcmp(&ring->digests[i], digest, sizeof(*digest)) == 0)
            return true;
    return false;
}

static void ring_add(struct ring *ring, const struct digest *digest)
{
    ring->digests[ring->next] = *digest;
    ring->next = (ring->next + 1) % AUTH_RING_SIZE;
    if (ring->filled < AUTH_RING_SIZE)
        ring->filled++;
}

/* The oldest job that waits; NULL when none does. Needs the lock. */
static struct job *next_job(struct http_auth *auth)
{
    struct job *oldest = NULL;
    for (size_t i = 0; i < AUTH_JOBS; i++) {
        struct job *job = &auth->jobs[i];
        if (job->state == JOB_WAITING &&
            (!oldest || job->sequence < oldest->sequence))
            oldest = job;
    }
    return oldest;
}

static bool run_bcrypt(const struct job *job, struct crypt_data *scratch)
{
    const char *made = crypt_rn(job->credentials.password, job->hash, scratch,
                                sizeof(*scratch));
    bool same = made && strlen(made) == HTTP_BCRYPT_SIZE &&
                gnutls_memcmp(made, job->hash, HTTP_BCRYPT_SIZE) == 0;
    return same && job->known_user;
}

/* Body of the worker thread. A running job's fields are its alone. */
static void *work(void *context)
{
    struct http_auth *auth = context;
    struct crypt_data *scratch = calloc(1, sizeof(*scratch));
    pthread_mutex_lock(&auth->lock);
    while (!auth->stopping) {
        struct job *job = next_job(auth);
        if (!job) {
            pthread_cond_wait(&auth->wake, &auth->lock);
            continue;
        }
        job->state = JOB_RUNNING;
        pthread_mutex_unlock(&auth->lock);
        job->granted = scratch && run_bcrypt(job, scratch);
        pthread_mutex_lock(&auth->lock);
        job->state = JOB_DONE;
        eventfd_write(auth->event_fd, 1);
    }
    pthread_mutex_unlock(&auth->lock);
    if (scratch)
        explicit_bzero(scratch, sizeof(*scratch));
    free(scratch);
    return NULL;
}

/* Signals are for the thread of the loop. */
static bool start_worker(struct http_auth *auth)
{
    if (auth->has_worker)
        return true;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    auth->has_worker = pthread_create(&auth->worker, NULL, work, auth) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return auth->has_worker;
}

static void job_clear(struct job *job)
{
    explicit_bzero(job, sizeof(*job));
}

/* Called by the loop: jobs are done. */
static void collect(void *context, uint32_t events)
{
    (void)events;
    struct http_auth *auth = context;
    eventfd_t count;
    eventfd_read(auth->event_fd, &count);
    pthread_mutex_lock(&auth->lock);
    for (size_t i = 0; i < AUTH_JOBS; i++) {
        struct job *job = &auth->jobs[i];
        if (job->state != JOB_DONE)
            continue;
        ring_add(job->granted ? &auth->granted : &auth->denied, &job->digest);
        auth->checks++;
        job_clear(job);
    }
    pthread_mutex_unlock(&auth->lock);
    auth->settled(auth->context);
}

static void free_auth(struct http_auth **auth)
{
    http_auth_free(*auth);
}

int http_auth_new(struct loop *loop,
                  void (*settled)(void *context),
                  void *context,
                  struct http_auth **ret_auth,
                  struct error *err)
{
    _cleanup_(free_auth) struct http_auth *auth = calloc(1, sizeof(*auth));
    if (!auth)
        return error_errno(err, ENOMEM, "basic authentication");
    pthread_mutex_init(&auth->lock, NULL);
    pthread_cond_init(&auth->wake, NULL);
    auth->settled = settled;
    auth->context = context;
    auth->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (auth->event_fd < 0)
        return error_errno(err, errno, "basic authentication: eventfd");
    if (gnutls_rnd(GNUTLS_RND_KEY, &auth->key, sizeof(auth->key)) < 0)
        return error_set(err, EIO,
                         "basic authentication: no random numbers to be had");
    int r = loop_add_fd(loop, auth->event_fd, EPOLLIN, collect, auth,
                        &auth->source, err);
    if (r < 0)
        return r;
    *ret_auth = take_ptr(auth);
    return 0;
}

struct http_auth *http_auth_free(struct http_auth *auth)
{
    if (!auth)
        return NULL;
    if (auth->has_worker) {
        pthread_mutex_lock(&auth->lock);
        auth->stopping = true;
        pthread_cond_signal(&auth->wake);
        pthread_mutex_unlock(&auth->lock);
        pthread_join(auth->worker, NULL);
    }
    loop_source_free(auth->source);
    close_fd(&auth->event_fd);
    pthread_cond_destroy(&auth->wake);
    pthread_mutex_destroy(&auth->lock);
    explicit_bzero(auth, sizeof(*auth));
    free(auth);
    return NULL;
}

/* What is asked, under our key: the user, the hash, the password. */
static bool make_digest(const struct http_auth *auth,
                        const struct job *job,
                        struct digest *ret_digest)
{
    gnutls_hmac_hd_t hmac;
    if (gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA256, &auth->key,
                         sizeof(auth->key)) < 0)
        return false;
    const struct http_credentials *c = &job->credentials;
    bool good = gnutls_hmac(hmac, c->user, strlen(c->user) + 1) >= 0 &&
                gnutls_hmac(hmac, job->hash, sizeof(job->hash)) >= 0 &&
                gnutls_hmac(hmac, &job->known_user, sizeof(bool)) >= 0 &&
                gnutls_hmac(hmac, c->password, strlen(c->password) + 1) >= 0;
    gnutls_hmac_deinit(hmac, ret_digest);
    return good;
}

/* The user whose hash is compared: for an unknown name the first one's, so
 * that the answer takes as long. */
static const struct http_user *pick_user(const struct http_user *users,
                                         size_t count,
                                         const char *name,
                                         bool *ret_known)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(users[i].name, name) == 0) {
            *ret_known = true;
            return &users[i];
        }
    *ret_known = false;
    return &users[0];
}

/* Put JOB where the worker finds it, unless the same is there already. */
static enum http_auth_verdict enqueue(struct http_auth *auth, struct job *job)
{
    enum http_auth_verdict verdict = HTTP_AUTH_BUSY;
    struct job *place = NULL;
    pthread_mutex_lock(&auth->lock);
    for (size_t i = 0; i < AUTH_JOBS && verdict == HTTP_AUTH_BUSY; i++) {
        struct job *other = &auth->jobs[i];
        if (other->state == JOB_FREE)
            place = other;
        else if (memcmp(&other->digest, &job->digest, sizeof(job->digest)) == 0)
            verdict = HTTP_AUTH_PENDING;
    }
    if (verdict == HTTP_AUTH_BUSY && place && start_worker(auth)) {
        job->state = JOB_WAITING;
        job->sequence = auth->sequence++;
        *place = *job;
        pthread_cond_signal(&auth->wake);
        verdict = HTTP_AUTH_PENDING;
    }
    pthread_mutex_unlock(&auth->lock);
    return verdict;
}

enum http_auth_verdict http_auth_check(struct http_auth *auth,
                                       const struct http_user *users,
                                       size_t count,
                                       const char *authorization,
                                       const struct http_user **ret_user)
{
    assert(count > 0);

    struct job job = {.state = JOB_FREE};
    if (!http_credentials_parse(authorization, &job.credentials))
        return HTTP_AUTH_DENIED;
    const struct http_user *user =
        pick_user(users, count, job.credentials.user, &job.known_user);
    memcpy(job.hash, user->hash, sizeof(job.hash));

    enum http_auth_verdict verdict;
    if (!make_digest(auth, &job, &job.digest))
        verdict = HTTP_AUTH_BUSY;
    else if (ring_has(&auth->granted, &job.digest))
        verdict = HTTP_AUTH_GRANTED;
    else if (ring_has(&auth->denied, &job.digest))
        verdict = HTTP_AUTH_DENIED;
    else
        verdict = enqueue(auth, &job);
    job_clear(&job);
    if (verdict == HTTP_AUTH_GRANTED)
        *ret_user = user;
    return verdict;
}

uint64_t http_auth_checks(const struct http_auth *auth)
{
    return auth->checks;
}
