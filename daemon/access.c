#include "access.h"

#include <string.h>

#include "cleanup.h"
#include "config.h"
#include "hub.h"
#include "keys.h"
#include "log.h"
#include "rights_file.h"

/* What the files say. */
struct access {
    struct keys *keys;     /* NULL: nobody is asked for one */
    struct rights *rights; /* NULL: everybody may everything */
};

static int read_access(const struct config *config, struct access *access, char **why)
{
    int r = config->listen_keys_file ? keys_read(config->listen_keys_file, &access->keys, why) : 0;

    if (r == 0 && config->rights_file)
        r = rights_read(config->rights_file, &access->rights, why);
    if (r < 0)
        keys_delete(access->keys);
    return r;
}

static void take_access(struct hub *hub, const struct access *access)
{
    core_set_rights(hub->core, access->rights);
    keys_delete(hub->keys);
    rights_delete(hub->rights);
    hub->keys = access->keys;
    hub->rights = access->rights;
}

int access_open(struct hub *hub, char **why)
{
    struct access access = {0};
    int r = read_access(hub->config, &access, why);

    if (r == 0)
        take_access(hub, &access);
    return r;
}

static void cut_keys(struct hub *hub)
{
    struct transport *transport;

    list_each (transport, &hub->transports, link)
        if (transport->ops->rekey)
            transport->ops->rekey(transport);
}

void access_reload(struct hub *hub)
{
    _cleanup_(cleanup_free) char *why = NULL;
    struct access access = {0};
    int r = read_access(hub->config, &access, &why);

    if (r < 0) {
        log_error("event=access_kept why=\"%s\" do=\"put it right and send SIGHUP again\"",
                  why ? why : strerror(-r));
        return;
    }
    take_access(hub, &access);
    cut_keys(hub);
    log_info("event=access keys=%zu rights=%zu", hub->keys ? hub->keys->n : 0,
             hub->rights ? hub->rights->n : 0);
}

void access_close(struct hub *hub)
{
    hub->keys = keys_delete(hub->keys);
    hub->rights = rights_delete(hub->rights);
}
