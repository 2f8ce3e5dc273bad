/* The command backup: the daemon writes the copy, and what is printed is where. */
#include <stdio.h>

#include "commands.h"
#include "observe.h"
#include "options.h"
#include "output.h"
#include "status.h"

static int backup(struct session *session)
{
    char path[GC_PATH_BYTES];
    int r = gc_backup(session->client, path, session_until(session));

    if (r < 0)
        return session_fail(r, "backup");
    if (session->options->json)
        r = output_json(json_pack("{s:s}", "path", path));
    else
        r = puts(path) < 0 ? -1 : output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_backup(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, backup(&session)) : status;
}
