#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const loss_names[LOSSES] = {"the process died", "the power went, what was not synced is lost",
                                        "the power went, what was not synced is there",
                                        "the power went, half of what was not synced is there",
                                        "the power went, most of what was not synced is there"};

struct loss loss_of(int way, uint64_t *seed, const struct event *underway)
{
    static const unsigned kept[LOSSES] = {0, 0, 100, 50, 85};
    struct loss loss = {.power = way > 0, .seed = draw(seed), .underway = way == 1 ? NULL : underway};

    loss.kept = kept[way];
    loss.torn = way > 2 ? 40 : 0;
    loss.sector = draw(seed) & 1 ? 512 : 4096;
    return loss;
}

/* In memory where that is possible: a disk would be asked to write thousands of files that live for a moment. */
static void make(char path[64])
{
    strcpy(path, "/dev/shm/goroutined-crash-XXXXXX");
    if (mkdtemp(path))
        return;
    strcpy(path, "/tmp/goroutined-crash-XXXXXX");
    if (!mkdtemp(path))
        abort();
}

void place_make(struct place *place)
{
    make(place->state);
    make(place->crash);
}

static void empty(const char *path)
{
    static const char *const others[] = {"state.db-shm", "lock", "ballast"};
    char file[512];

    for (int i = 0; i < NAMES + 3; i++) {
        snprintf(file, sizeof(file), "%s/%s", path, i < NAMES ? file_names[i] : others[i - NAMES]);
        unlink(file);
    }
}

void place_empty(const struct place *place)
{
    empty(place->state);
    empty(place->crash);
}

void place_remove(struct place *place)
{
    place_empty(place);
    rmdir(place->state);
    rmdir(place->crash);
}
