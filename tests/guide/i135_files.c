/*
 * G135 between processes: three workers count the words of files whose names they are sent.
 *
 * Pattern: files in parallel, each with its result or its error.
 */
#include "parts.h"

enum { WORKERS = 3, FILES = 4 };

static const char *const texts[FILES - 1] = {"one two three\n", "four\nfive", ""};

static void write_files(struct part *me)
{
    for (int i = 0; i < FILES - 1; i++) {
        char name[TEXT_BYTES], path[TEXT_BYTES];
        FILE *file;

        snprintf(name, sizeof name, "text%d", i);
        shared_file(me, name, path);
        file = fopen(path, "we");
        must(file != NULL && fputs(texts[i], file) >= 0);
        must(fclose(file) == 0);
    }
}

/* The last name is of no file. */
static void namer(struct part *me)
{
    gc_chan names = chan_of(me, "names");

    write_files(me);
    for (int i = 0; i < FILES; i++)
        send_text(me, names, "text%d", i);
    close_chan(me, names);
}

/* The words of a file, or a negative errno value. */
static int words_of(const char *path)
{
    FILE *file = fopen(path, "re");
    char word[TEXT_BYTES];
    int n = 0;

    if (!file)
        return -errno;
    while (fscanf(file, "%255s", word) == 1)
        n++;
    fclose(file);
    return n;
}

static void worker(struct part *me)
{
    gc_chan names = chan_of(me, "names"), results = chan_of(me, "results");
    char name[TEXT_BYTES], path[TEXT_BYTES];

    while (recv_text(me, names, name)) {
        shared_file(me, name, path);
        send_text(me, results, "%s %d", name, words_of(path));
    }
}

static void collector(struct part *me)
{
    gc_chan results = chan_of(me, "results");
    char result[TEXT_BYTES], name[TEXT_BYTES];
    int words, all = 0;

    for (int i = 0; i < FILES; i++) {
        must(recv_text(me, results, result));
        must(sscanf(result, "%s %d", name, &words) == 2);
        if (words >= 0)
            say(me, "%s: %d words", name, words);
        else
            say(me, "%s: %s", name, strerror(-words));
        all += words > 0 ? words : 0;
    }
    say(me, "all: %d words", all);
}

static void files(void)
{
    /* "the words of each file and of all are as `wc -w` counts them: 3, 2, 0, and 5" */
    must(said_times("text0: 3 words") == 1 && said_times("text1: 2 words") == 1 &&
         said_times("text2: 0 words") == 1);
    must(said_last("all: 5 words"));
    /* "a missing file is an entry with its error, and the others are counted" */
    must(said_times("text3: %s", strerror(ENOENT)) == 1);
}

GUIDE_PARTS(G135, files, .channels = {{"names"}, {"results"}},
            .parts = {PART(namer), PARTS(WORKERS, worker), PART(collector)});
