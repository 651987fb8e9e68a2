/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serving the page. The embedded files are compressed once, at the start, so
 * that the first visitor waits for nothing. A browser asks again each time
 * (no-cache) and is told that nothing changed, by the tag of the content.
 */
#include "watchdog/page.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILES_MAX = PAGE_ROUTES_MAX - 2,
    FILE_BYTES_MAX = 16 * 1024 * 1024
};

struct served_file {
    struct page *page;
    const char *name, *tag;
    struct http_content *content;
    char path[64]; /* of the route */
};

struct page {
    const char *folder; /* "": the embedded ones */
    struct served_file files[FILES_MAX];
    size_t count;
};

static const char missing[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<title>gpu-watchdog</title>\n"
    "<h1>The dashboard's page is not in this program</h1>\n"
    "<p>It was built without <code>web/dist</code>. "
    "<code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code> makes it; "
    "then build the program again.</p>\n"
    "<p>What it would show is served as JSON: "
    "<a href=\"/api/v1/cluster\">/api/v1/cluster</a>.</p>\n</html>\n";

/* dashboards.md of our notes has the reasons: nothing but our own files may be
 * loaded or run, and no other site may frame the page. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".json", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < array_size(types); i++)
        if (strcmp(types[i][0], dot) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static void set_headers(struct http_reply *reply, const char *name)
{
    http_reply_set_type(reply, type_of(name));
    http_reply_set_header(reply, "Content-Security-Policy", policy);
    http_reply_set_header(reply, "Referrer-Policy", "same-origin");
    http_reply_set_header(reply, "Cross-Origin-Opener-Policy", "same-origin");
}

/* Whether the client has TAG already: If-None-Match lists tags, or "*". */
static bool is_known(struct http_request *request, const char *tag)
{
    const char *known = http_request_header(request, "If-None-Match");
    return known && (strstr(known, tag) || strcmp(known, "*") == 0);
}

/* The whole of a small file; NULL when it cannot be read. */
static struct http_content *read_file(const char *folder, const char *name)
{
    char path[4096];
    struct stat status;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct text text = TEXT_INIT;
    bool good = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                status.st_size < FILE_BYTES_MAX;
    char *room = good ? text_reserve(&text, (size_t)status.st_size + 1) : NULL;
    ssize_t size = room ? read(fd, room, (size_t)status.st_size) : -1;
    if (fd >= 0)
        close(fd);
    if (size >= 0)
        text.size = (size_t)size;
    else
        text_deinit(&text);
    return size >= 0 ? http_content_take(&text) : NULL;
}

static void serve_file(void *context,
                       struct http_request *request,
                       struct http_reply *reply)
{
    const struct served_file *file = context;
    set_headers(reply, file->name);
    if (*file->page->folder) {
        struct http_content *content =
            read_file(file->page->folder, file->name);
        if (content)
            http_reply_add(reply, content);
        else
            http_reply_fail(reply, 404, "%s/%s cannot be read.",
                            file->page->folder, file->name);
        http_content_unref(content);
        return;
    }
    if (file->tag)
        http_reply_set_header(reply, "ETag", file->tag);
    if (file->tag && is_known(request, file->tag))
        http_reply_set_status(reply, 304);
    else
        http_reply_add(reply, file->content);
}

static bool add_file(struct page *page, const struct page_file *embedded)
{
    struct http_deflated ready;
    struct served_file *file = &page->files[page->count++];
    *file = (struct served_file){
        .page = page,
        .name = embedded->name,
        .tag = embedded->tag,
        .content = http_content_static(embedded->data, embedded->size),
    };
    snprintf(file->path, sizeof(file->path), "/%s", embedded->name);
    return file->content && http_content_deflate(file->content, &ready) == 0;
}

int page_new(const char *folder, struct page **ret_page, struct error *err)
{
    static const struct page_file none = {
        .name = "index.html",
        .data = (const unsigned char *)missing,
        .size = sizeof(missing) - 1,
    };
    struct page *page = calloc(1, sizeof(*page));
    if (!page)
        return error_errno(err, ENOMEM, "page");
    page->folder = folder;
    bool good = true;
    for (size_t i = 0; page_files[i].name && page->count < FILES_MAX; i++)
        good &= add_file(page, &page_files[i]);
    if (page->count == 0)
        good &= add_file(page, &none);
    if (!good) {
        page_free(page);
        return error_errno(err, ENOMEM, "page");
    }
    *ret_page = page;
    return 0;
}

struct page *page_free(struct page *page)
{
    if (!page)
        return NULL;
    for (size_t i = 0; i < page->count; i++)
        http_content_unref(page->files[i].content);
    free(page);
    return NULL;
}

size_t page_routes(struct page *page, struct http_route *routes)
{
    size_t count = 0;
    for (size_t i = 0; i < page->count; i++) {
        struct served_file *file = &page->files[i];
        bool start = strcmp(file->name, "index.html") == 0;
        routes[count++] = (struct http_route){.path = start ? "/" : file->path,
                                              .handler = serve_file,
                                              .context = file};
    }
    return count;
}
