#include "witness.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct witness *witness_map(int fd)
{
    if (ftruncate(fd, sizeof(struct witness)) < 0)
        err(1, "witness");
    void *memory = mmap(NULL, sizeof(struct witness), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        err(1, "witness");
    return memory;
}

void witness_clear(struct witness *witness)
{
    memset((void *)witness, 0, sizeof(*witness));
}

void witness_send(struct witness *witness, int number)
{
    witness->value[number].sending = SENDING_BEGUN;
}

void witness_sent(struct witness *witness, int number, int status, bool doubt)
{
    witness->value[number].sending = status >= 0 ? SENDING_OK : doubt ? SENDING_DOUBT : SENDING_ABORTED;
}

void witness_received(struct witness *witness, int number, bool redelivered)
{
    witness->value[number].received++;
    witness->value[number].flagged += redelivered;
    witness->value[number].unacked++;
}

void witness_acked(struct witness *witness, int number)
{
    witness->value[number].unacked--;
}

static const char *judge_one(const struct witness *witness, int number, bool drained)
{
    unsigned received = witness->value[number].received, flagged = witness->value[number].flagged;
    unsigned unacked = witness->value[number].unacked;

    switch ((enum sending)witness->value[number].sending) {
    case SENDING_NONE:
        return received ? "was received and never sent" : NULL;
    case SENDING_ABORTED:
        return received ? "was surely not sent, and received" : NULL;
    case SENDING_OK:
        if (drained && received == 0)
            return "was sent and is lost";
        break;
    case SENDING_BEGUN:
    case SENDING_DOUBT:
        break;
    }
    if (received > 1 + unacked)
        return "was received again, though acknowledged";
    if (received - flagged > 1)
        return "was received twice, without a flag";
    return flagged > unacked ? "is flagged, and nobody died with it" : NULL;
}

const char *witness_judge(const struct witness *witness, bool drained)
{
    static char words[128];

    for (int i = 0; i < WITNESS_VALUES; i++) {
        const char *wrong = judge_one(witness, i, drained);
        if (!wrong)
            continue;
        snprintf(words, sizeof(words), "value %d %s (sending %d, received %d, flagged %d, unacked %d)", i,
                 wrong, witness->value[i].sending, witness->value[i].received, witness->value[i].flagged,
                 witness->value[i].unacked);
        return words;
    }
    return NULL;
}
