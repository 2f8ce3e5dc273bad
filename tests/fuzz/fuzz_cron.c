/*
 * Any text as a schedule. What is refused says why, in one line; what is taken is found again from everywhere: the
 * moment after which it is looked for does not matter, as long as none lies between. The first byte chooses zone and
 * moment.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cron.h"
#include "fuzz.h"

enum { MOMENTS = 3 };

/* Forward and back, twice, the last time further than any clock was put. */
static const struct zone leaping = {
    .first_offset_s = 3600,
    .changes_n = 4,
    .changes = {{1711846800, 7200}, {1729990800, 3600}, {1743296400, 7200}, {1761440400, -46800}},
};

static const struct zone utc;

static void check_refusal(const char error[static CRON_ERROR_BYTES])
{
    size_t n = strnlen(error, CRON_ERROR_BYTES);

    assert(n > 0 && n < CRON_ERROR_BYTES && !memchr(error, '\n', n));
}

static int64_t check_next(const struct cron *cron, const struct zone *zone, int64_t after)
{
    int64_t at = cron_next(cron, zone, after);

    if (at < 0) {
        assert(at == -ENOENT);
        return at;
    }
    assert(at > after);
    assert(cron_next(cron, zone, at - 1) == at);
    assert(cron_next(cron, zone, after + (at - after) / 2) == at || after + (at - after) / 2 == at);
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed feed = {data, size};
    uint8_t choice = feed_byte(&feed);
    const struct zone *zone = choice & 1 ? &leaping : &utc;
    int64_t after = choice & 2 ? (INT64_C(1711846800) - choice * 3600) * 1000000000 : -1;
    char error[CRON_ERROR_BYTES] = "";
    struct cron cron;
    int r = cron_parse((struct bytes){(const char *)feed.data, feed.size}, &cron, error);

    assert(zone_check(&leaping) == 0);
    assert(r == 0 || r == -EINVAL || r == -E2BIG);
    assert((r == -E2BIG) == (feed.size > CRON_TEXT_BYTES_MAX));
    if (r < 0)
        check_refusal(error);
    for (int i = 0; r == 0 && i < MOMENTS && after >= -1; i++)
        after = check_next(&cron, zone, after);
    return 0;
}
