#include "gearman_packets.h"

#include <arpa/inet.h>
#include <string.h>

#include "stream.h"

static struct input in;

void gearman_connect(const char *where)
{
    input_begin(&in, stream_connect(where));
}

size_t gearman_header(char *at, enum gearman_kind kind, size_t bytes)
{
    struct gearman_header header = {"\0REQ", htonl((uint32_t)kind), htonl((uint32_t)bytes)};

    memcpy(at, &header, sizeof header);
    return sizeof header;
}

void gearman_say(enum gearman_kind kind, const void *data, size_t bytes)
{
    char packet[sizeof(struct gearman_header) + 64];

    size_t n = gearman_header(packet, kind, bytes);
    memcpy(packet + n, data, bytes);
    write_all(in.fd, packet, n + bytes);
}

void gearman_write(const char *packets, size_t bytes)
{
    write_all(in.fd, packets, bytes);
}

enum gearman_kind gearman_hear(const char **data, size_t *bytes)
{
    struct gearman_header header;

    memcpy(&header, input_bytes(&in, sizeof header), sizeof header);
    in.at += sizeof header;
    *bytes = ntohl(header.bytes);
    *data = input_bytes(&in, *bytes);
    in.at += *bytes;
    return (enum gearman_kind)ntohl(header.kind);
}

const char *gearman_take(size_t *bytes)
{
    const char *data;

    for (;;)
        switch (gearman_hear(&data, bytes)) {
        case GEARMAN_ASSIGN:
            return data;
        case GEARMAN_NO_JOB:
            gearman_say(GEARMAN_PRE_SLEEP, "", 0);
            break;
        case GEARMAN_NOOP:
            gearman_say(GEARMAN_GRAB, "", 0);
            break;
        default:
            break;
        }
}
