/* What a host says about each kind of file that is no good plugin. The files come from PLUGIN_DIR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin_load.h"

struct refusal {
    const char *file; /* below PLUGIN_DIR, or absolute */
    int error;
    const char *says;
};

static const struct refusal refusals[] = {
    {"/nonexistent/plugin.so", -ENOENT, "cannot open plugin /nonexistent/plugin.so"},
    {"/etc/passwd", -ENOEXEC, "not an ELF file"},
    {"/proc/self/exe", -ENOEXEC, "cannot be loaded"},
    {"variant_twice.so", -EINVAL, "names the function same twice"},
    {"variant_bad_name.so", -EINVAL, "function 0 of plugin"},
    {"variant_no_code.so", -EINVAL, "function hollow of plugin"},
    {"variant_other_abi.so", -EPROTONOSUPPORT, "was built for ABI 2, this host speaks ABI 1"},
    {"variant_no_manifest.so", -ENOEXEC, "has no manifest"},
    {"variant_unresolved.so", -ENOEXEC, "no_such_symbol_anywhere"},
};

static void path_of(char *path, size_t size, const char *file)
{
    snprintf(path, size, "%s%s%s", *file == '/' ? "" : getenv("PLUGIN_DIR"), *file == '/' ? "" : "/", file);
}

static void test_each_bad_file_is_refused_by_name_and_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char path[4096], why[PLUGIN_WHY_BYTES] = "";
        struct plugin plugin = {0};

        path_of(path, sizeof path, refusals[i].file);
        assert_int_equal(plugin_open(path, path, &plugin, why), refusals[i].error);
        if (!strstr(why, refusals[i].says))
            fail_msg("%s: expected «%s» in «%s»", path, refusals[i].says, why);
    }
}

static void test_a_good_plugin_offers_its_functions_by_name(void **state)
{
    char path[4096], why[PLUGIN_WHY_BYTES] = "";
    struct plugin plugin;

    (void)state;
    path_of(path, sizeof path, "variant_good.so");
    assert_int_equal(plugin_open(path, path, &plugin, why), 0);
    assert_string_equal(plugin_function(&plugin, (struct gp_bytes){"two", 3})->help, "the second");
    assert_null(plugin_function(&plugin, (struct gp_bytes){"tw", 2}));
    assert_null(plugin_function(&plugin, (struct gp_bytes){"three", 5}));
}

static json_t *describe(const char *file, int *status)
{
    FILE *out = tmpfile();
    char path[4096];
    json_t *answer;

    assert_non_null(out);
    path_of(path, sizeof path, file);
    *status = plugin_describe(path, path, fileno(out));
    rewind(out);
    answer = json_loadf(out, 0, NULL);
    fclose(out);
    assert_non_null(answer);
    return answer;
}

static void test_describe_tells_functions_with_their_policy(void **state)
{
    int status;
    json_t *answer = describe("variant_good.so", &status), *one;

    (void)state;
    assert_int_equal(status, 0);
    assert_string_equal(json_string_value(json_object_get(answer, "version")), "1.2");
    one = json_array_get(json_object_get(answer, "functions"), 0);
    assert_int_equal(json_integer_value(json_object_get(one, "attempts_max")), 7);
    assert_int_equal(json_integer_value(json_object_get(one, "backoff_ns")), 20000000);
    assert_int_equal(json_integer_value(json_object_get(one, "time_limit_ns")), 300000000);
    json_decref(answer);
}

static void test_describe_tells_error_and_text_of_a_bad_plugin(void **state)
{
    int status;
    json_t *answer = describe("variant_other_abi.so", &status);

    (void)state;
    assert_int_equal(status, 1);
    assert_int_equal(json_integer_value(json_object_get(answer, "error")), EPROTONOSUPPORT);
    assert_non_null(strstr(json_string_value(json_object_get(answer, "text")), "rebuild it"));
    json_decref(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_bad_file_is_refused_by_name_and_cause),
        cmocka_unit_test(test_a_good_plugin_offers_its_functions_by_name),
        cmocka_unit_test(test_describe_tells_functions_with_their_policy),
        cmocka_unit_test(test_describe_tells_error_and_text_of_a_bad_plugin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
