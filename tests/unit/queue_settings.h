/* Settings of a queue in words, as a test writes them: "concurrency=2 serial=yes". */
#pragma once

#include <string.h>

#include "queue_policy.h"

static inline struct policy_part queue_settings(const char *settings)
{
    struct policy_part part = {0};

    while (*settings) {
        size_t left = strcspn(settings, "="), right = strcspn(settings + left, " ");
        int field = policy_field((struct bytes){settings, left});
        assert_true(field >= 0 && right > 1);
        struct bytes value = {settings + left + 1, right - 1};
        assert_int_equal(policy_set(&part, (enum policy_field)field, value), 0);
        settings += left + right + (settings[left + right] == ' ');
    }
    return part;
}
