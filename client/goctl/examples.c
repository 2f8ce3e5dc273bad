/* `goctl examples`: one example of each pattern of concurrent programs, as installed with the documentation. */
#include <stdio.h>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "status.h"

/* tests/guide/meson.build installs the files. */
static const struct example {
    const char *pattern, *file;
} examples[] = {
    {"worker pool", "g069_worker_pool.c"},
    {"pipeline", "g081_pipeline.c"},
    {"producer and consumers", "g079_producer_consumer.c"},
    {"publish and subscribe", "g096_pubsub.c"},
    {"circuit breaker", "g118_circuit_breaker.c"},
    {"rate limiter", "g121_rate_limiter.c"},
    {"load balancer", "g122_round_robin.c"},
};

enum { EXAMPLES_N = sizeof examples / sizeof *examples };

static int print_json(void)
{
    int r = 0;

    for (int i = 0; i < EXAMPLES_N && r == 0; i++)
        r = output_json(json_pack("{s:s, s:s+}", "pattern", examples[i].pattern, "file", EXAMPLES_FOLDER "/",
                                  examples[i].file));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_examples(const struct options *options)
{
    if (options->json)
        return print_json();
    for (int i = 0; i < EXAMPLES_N; i++)
        printf("%-23s " EXAMPLES_FOLDER "/%s\n", examples[i].pattern, examples[i].file);
    return STATUS_OK;
}
