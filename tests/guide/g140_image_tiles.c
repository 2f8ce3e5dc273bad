/*
 * G140 A picture of 256 by 256 pixels is inverted in 16 tiles, by four goroutines at most at a time.
 *
 * Pattern: limited workers by an error group. The tiles do not overlap: no pixel is written by two.
 */
#include <stdio.h>

#include "goroutine_sync.h"
#include "guide.h"

enum { SIDE = 256, TILES_A_SIDE = 4, TILE = SIDE / TILES_A_SIDE, AT_ONCE = 4, COLOURS = 3 };

struct image {
    unsigned char pixel[SIDE][SIDE][COLOURS];
};

struct work {
    struct image *image;
    struct gate gate;
    struct peak at_work;
};

struct tile {
    struct work *work;
    int row, column;
};

static void invert(struct image *image, int row, int column, int size)
{
    for (int y = row; y < row + size; y++)
        for (int x = column; x < column + size; x++)
            for (int c = 0; c < COLOURS; c++)
                image->pixel[y][x][c] = (unsigned char)(255 - image->pixel[y][x][c]);
}

static int invert_tile(void *arg)
{
    const struct tile *tile = arg;

    peak_enter(&tile->work->at_work);
    gate_pass(&tile->work->gate);
    invert(tile->work->image, tile->row, tile->column, TILE);
    peak_leave(&tile->work->at_work);
    return 0;
}

static void invert_in_tiles(void *arg)
{
    struct work *work = arg;
    go_errgroup tiles = {0};

    go_errgroup_limit(&tiles, AT_ONCE);
    for (int row = 0; row < SIDE; row += TILE)
        for (int column = 0; column < SIDE; column += TILE)
            must(go_errgroup_go(&tiles, invert_tile, &((struct tile){work, row, column}), sizeof(struct tile),
                                GO_FOREVER) == 0);
    must(go_errgroup_wait(&tiles) == 0);
}

static void image_fill(struct image *image)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < COLOURS; c++)
                image->pixel[y][x][c] = (unsigned char)(3 * x + 5 * y + 7 * c);
}

/* As a file in the format PPM; the caller frees it. */
static char *image_write(const struct image *image, size_t *bytes)
{
    char *file = NULL;
    FILE *stream = open_memstream(&file, bytes);

    must(stream);
    fprintf(stream, "P6\n%d %d\n255\n", SIDE, SIDE);
    must(fwrite(image->pixel, sizeof image->pixel, 1, stream) == 1 && fclose(stream) == 0);
    return file;
}

static bool same_file(const struct image *one, const struct image *other)
{
    size_t one_bytes = 0, other_bytes = 0;
    char *one_file = image_write(one, &one_bytes), *other_file = image_write(other, &other_bytes);
    bool same = one_bytes == other_bytes && memcmp(one_file, other_file, one_bytes) == 0;

    free(one_file);
    free(other_file);
    return same;
}

static void image_tiles(void)
{
    static struct image parallel, sequential;
    struct work work = {.image = &parallel};
    go_waitgroup done = {0};

    image_fill(&parallel);
    image_fill(&sequential);
    must(go_waitgroup_go(&done, invert_in_tiles, &work, 0) == 0);
    gate_until(&work.gate, AT_ONCE);
    gate_open(&work.gate);
    go_waitgroup_wait(&done);
    /* "at most 4 tiles are at work at once" */
    must(atomic_load(&work.at_work.most) == AT_ONCE);
    invert(&sequential, 0, 0, SIDE);
    /* "the file is byte for byte that of the sequential run" */
    must(same_file(&parallel, &sequential));
    invert(&sequential, 0, 0, SIDE);
    must(!same_file(&parallel, &sequential));
}

GUIDE_ROW(G140, image_tiles);
