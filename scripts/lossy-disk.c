// A disk that loses its power: a file system in memory (FUSE) which knows of every file and directory what is in the
// page cache, and what was synced. When its power is cut it kills who works with it, and keeps what POSIX promises: the
// bytes of a file as of its last fsync or fdatasync, and the names in a directory as of the directory's last fsync. The
// rest is gone, as after a real cut. mmap and locks work as on any disk, because the kernel does them.
//
//   lossy-disk DIRECTORY     stays in the foreground; ends when the directory is unmounted, or at SIGTERM
//
// Its switch is the file `.power` in it. Written to:
//
//   cut MODE SEED CHANGES [PID…]   cuts the power after so many more changes, 0: now. The processes get SIGKILL at that
//                                  moment, and every call fails until the directory is unmounted: then it is mounted
//                                  again with what is left. A change is a write, a name, a length, or a sync; those to
//                                  SQLite's -shm do not count.
//   lie WHAT                       says of syncs that they were done, and does nothing: all, files, directories, log
//                                  (of names that end in -wal), nothing
//
// Modes: `everything` is left, as after kill -9 alone. `nothing` is left that was not synced. `some`: by chance, of the
// pages that were not synced some are there, some are not, some are torn at a sector, in any order; of the changes of
// names all up to one, as of a journal. `any`: each change of a name by itself, as no journal of today has it.
//
// Read, it tells `on` or `off`, and how many cuts and changes there were.
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fuse_lowlevel.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, SECTOR = 512, SWITCH = 2, PIDS = 16 };

struct node;

struct name {
    char *text;
    struct node *node;
};

struct names {
    struct name *list;
    size_t count;
};

// A name that was given (or taken away: no node) and is not synced.
struct change {
    char *text;
    struct node *node;
    uint64_t number; // both halves of a rename have one
};

struct node {
    struct node *next;
    fuse_ino_t number;
    mode_t mode, safe_mode;
    uid_t owner, safe_owner;
    gid_t group, safe_group;
    struct timespec changed;
    nlink_t links;
    bool is_shared_memory, is_log, is_reached;
    char *target;
    unsigned char *bytes, *safe;
    size_t length, safe_length;
    size_t room, safe_room;
    size_t from, to; // what was written since the last sync
    struct names names, safe_names;
    struct change *changes;
    size_t change_count;
};

static struct node *all;
static fuse_ino_t last_number = SWITCH;
static uint64_t last_change;
static bool is_off;
static unsigned long cuts, changes;
static struct { bool files, directories, log; } lies;
static struct {
    char mode;
    uint64_t seed;
    long after; // -1: not to be cut
    pid_t pids[PIDS];
    int count;
} plan = {.after = -1};

// --- memory

static void *needed(void *memory) {
    if (!memory) abort();
    return memory;
}

static void make_room(unsigned char **bytes, size_t *room, size_t length) {
    if (length <= *room) return;
    size_t next = length + length / 2 + PAGE;
    *bytes = needed(realloc(*bytes, next));
    memset(*bytes + *room, 0, next - *room);
    *room = next;
}

static struct node *node_of(fuse_ino_t number) {
    for (struct node *node = all; node; node = node->next)
        if (node->number == number) return node;
    return NULL;
}

static struct timespec now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time;
}

static struct node *make(mode_t mode, uid_t owner, gid_t group, fuse_ino_t number) {
    struct node *node = needed(calloc(1, sizeof *node));
    node->number = number;
    node->mode = node->safe_mode = mode;
    node->owner = node->safe_owner = owner;
    node->group = node->safe_group = group;
    node->changed = now();
    node->next = all;
    all = node;
    return node;
}

static struct name *find(struct names *names, const char *text) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i].text, text) == 0) return &names->list[i];
    return NULL;
}

static void put(struct names *names, const char *text, struct node *node) {
    struct name *name = find(names, text);
    if (name && node) {
        name->node = node;
    } else if (name) {
        free(name->text);
        *name = names->list[--names->count];
    } else if (node) {
        names->list = needed(realloc(names->list, (names->count + 1) * sizeof *names->list));
        names->list[names->count++] = (struct name){needed(strdup(text)), node};
    }
}

// Gives a name in the page cache, and remembers that it is only there.
static void name(struct node *directory, const char *text, struct node *node, uint64_t number) {
    put(&directory->names, text, node);
    directory->changed = now();
    directory->changes =
        needed(realloc(directory->changes, (directory->change_count + 1) * sizeof *directory->changes));
    directory->changes[directory->change_count++] = (struct change){needed(strdup(text)), node, number};
}

static void forget_changes(struct node *node) {
    for (size_t i = 0; i < node->change_count; i++) free(node->changes[i].text);
    node->change_count = 0;
}

static void written(struct node *node, size_t from, size_t to) {
    if (node->from >= node->to) {
        node->from = from;
        node->to = to;
    } else {
        if (from < node->from) node->from = from;
        if (to > node->to) node->to = to;
    }
    node->changed = now();
}

static void set_length(struct node *node, size_t length) {
    make_room(&node->bytes, &node->room, length);
    if (length < node->length) memset(node->bytes + length, 0, node->length - length);
    size_t low = length < node->length ? length : node->length;
    size_t high = length < node->length ? node->length : length;
    node->length = length;
    written(node, low, high);
}

// --- what is on disk

static void sync_data(struct node *node) {
    size_t to = node->to < node->length ? node->to : node->length;
    make_room(&node->safe, &node->safe_room, node->length);
    if (node->length < node->safe_length)
        memset(node->safe + node->length, 0, node->safe_length - node->length);
    if (node->from < to) memcpy(node->safe + node->from, node->bytes + node->from, to - node->from);
    node->safe_length = node->length;
    node->from = node->to = 0;
}

static void sync_node(struct node *node) {
    node->safe_mode = node->mode;
    node->safe_owner = node->owner;
    node->safe_group = node->group;
    if (S_ISDIR(node->mode)) {
        for (size_t i = 0; i < node->change_count; i++)
            put(&node->safe_names, node->changes[i].text, node->changes[i].node);
        forget_changes(node);
    } else {
        sync_data(node);
    }
}

static uint64_t chance(void) {
    uint64_t bits = (plan.seed += 0x9E3779B97F4A7C15u);
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
    return bits ^ (bits >> 31);
}

// Lets some of what was written since the last sync be on disk.
static void keep_some(struct node *node) {
    if (node->from >= node->to && node->length == node->safe_length) return;
    size_t longest = node->length > node->safe_length ? node->length : node->safe_length;
    size_t shortest = node->length < node->safe_length ? node->length : node->safe_length;
    size_t length = node->length;
    switch (chance() % 4) {
    case 0: length = node->safe_length; break;
    case 1: length = shortest + chance() % (longest - shortest + 1); break;
    }
    make_room(&node->safe, &node->safe_room, longest);
    make_room(&node->bytes, &node->room, longest);
    for (size_t page = 0; page < length; page += PAGE) {
        unsigned kind = chance() % 4;
        for (size_t sector = page; sector < page + PAGE && sector < length; sector += SECTOR) {
            if (kind == 0 || (kind == 1 && chance() % 2 == 0)) continue;
            size_t end = sector + SECTOR < length ? sector + SECTOR : length;
            memcpy(node->safe + sector, node->bytes + sector, end - sector);
        }
    }
    if (length < longest) memset(node->safe + length, 0, longest - length);
    node->safe_length = length;
}

static bool survives(uint64_t number, uint64_t seed) {
    plan.seed = seed ^ (number * 0xD1342543DE82EF95u);
    return chance() % 2 == 0;
}

static void cut(void) {
    for (int i = 0; i < plan.count; i++) kill(plan.pids[i], SIGKILL);
    is_off = true;
    cuts++;
    plan.after = -1;
    if (plan.mode == 'e')
        for (struct node *node = all; node; node = node->next) sync_node(node);
    uint64_t oldest = last_change + 1;
    for (struct node *node = all; node; node = node->next)
        if (node->change_count > 0 && node->changes[0].number < oldest) oldest = node->changes[0].number;
    uint64_t until = oldest + chance() % (last_change + 2 - oldest); // the first that is lost
    for (struct node *node = all; node; node = node->next)
        if (plan.mode != 'n' && !S_ISDIR(node->mode)) keep_some(node);
    uint64_t seed = chance();
    for (struct node *node = all; node; node = node->next) {
        for (size_t i = 0; i < node->change_count; i++) {
            struct change *change = &node->changes[i];
            if ((plan.mode == 's' && change->number < until) || (plan.mode == 'a' && survives(change->number, seed)))
                put(&node->safe_names, change->text, change->node);
        }
        forget_changes(node);
    }
    // What is on disk is all there is now.
    for (struct node *node = all; node; node = node->next) {
        make_room(&node->bytes, &node->room, node->safe_length);
        if (node->room > 0) memset(node->bytes, 0, node->room);
        if (node->safe_length > 0) memcpy(node->bytes, node->safe, node->safe_length);
        node->length = node->safe_length;
        node->from = node->to = 0;
        node->mode = node->safe_mode;
        node->owner = node->safe_owner;
        node->group = node->safe_group;
        node->links = 0;
        while (node->names.count > 0) put(&node->names, node->names.list[0].text, NULL);
    }
    for (struct node *node = all; node; node = node->next)
        for (size_t i = 0; i < node->safe_names.count; i++) {
            put(&node->names, node->safe_names.list[i].text, node->safe_names.list[i].node);
            node->safe_names.list[i].node->links++;
        }
}

static void reach(struct node *node) {
    node->is_reached = true;
    for (size_t i = 0; i < node->names.count; i++) reach(node->names.list[i].node);
}

// Frees what has no name any more, once the kernel knows of nothing.
static void collect(struct node *root) {
    for (struct node *node = all; node; node = node->next) node->is_reached = false;
    reach(root);
    for (struct node **place = &all; *place;) {
        struct node *node = *place;
        if (node->is_reached) {
            place = &node->next;
            continue;
        }
        *place = node->next;
        while (node->safe_names.count > 0) put(&node->safe_names, node->safe_names.list[0].text, NULL);
        while (node->names.count > 0) put(&node->names, node->names.list[0].text, NULL);
        free(node->names.list);
        free(node->safe_names.list);
        free(node->changes);
        free(node->target);
        free(node->bytes);
        free(node->safe);
        free(node);
    }
}

// After a change: whether the power is gone, and nobody hears of it.
static bool lost(fuse_req_t request, const struct node *node) {
    if (node && node->is_shared_memory) return false;
    changes++;
    if (plan.after > 0 && --plan.after == 0) {
        cut();
        fuse_reply_err(request, EIO);
        return true;
    }
    return false;
}

// --- answers

static struct stat status_of(const struct node *node) {
    struct stat status = {0};
    status.st_ino = node->number;
    status.st_mode = node->mode;
    status.st_nlink = S_ISDIR(node->mode) ? 2 : node->links;
    status.st_uid = node->owner;
    status.st_gid = node->group;
    status.st_size = S_ISLNK(node->mode) ? strlen(node->target) : node->length;
    status.st_blksize = PAGE;
    status.st_blocks = (node->length + SECTOR - 1) / SECTOR;
    status.st_atim = status.st_mtim = status.st_ctim = node->changed;
    return status;
}

static struct stat status_of_switch(void) {
    return (struct stat){.st_ino = SWITCH, .st_mode = S_IFREG | 0600, .st_nlink = 1};
}

static struct fuse_entry_param entry_of(const struct node *node) {
    return (struct fuse_entry_param){
        .ino = node->number, .attr = status_of(node), .attr_timeout = 1, .entry_timeout = 1};
}

#define WITH_POWER                           \
    if (is_off) {                            \
        fuse_reply_err(request, EIO);        \
        return;                              \
    }

static void do_lookup(fuse_req_t request, fuse_ino_t parent, const char *text) {
    if (parent == FUSE_ROOT_ID && strcmp(text, ".power") == 0) {
        struct fuse_entry_param entry = {.ino = SWITCH, .attr = status_of_switch()};
        fuse_reply_entry(request, &entry);
        return;
    }
    WITH_POWER
    struct name *found = find(&node_of(parent)->names, text);
    if (!found) {
        fuse_reply_err(request, ENOENT);
        return;
    }
    struct fuse_entry_param entry = entry_of(found->node);
    fuse_reply_entry(request, &entry);
}

static void do_getattr(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *file) {
    (void)file;
    struct stat status;
    if (number == SWITCH) {
        status = status_of_switch();
    } else if (is_off && number != FUSE_ROOT_ID) {
        fuse_reply_err(request, EIO);
        return;
    } else {
        status = status_of(node_of(number));
    }
    fuse_reply_attr(request, &status, is_off || number == SWITCH ? 0 : 1);
}

static void do_setattr(
    fuse_req_t request, fuse_ino_t number, struct stat *wanted, int what, struct fuse_file_info *file) {
    (void)file;
    if (number == SWITCH) {
        struct stat status = status_of_switch();
        fuse_reply_attr(request, &status, 0);
        return;
    }
    WITH_POWER
    struct node *node = node_of(number);
    if (what & FUSE_SET_ATTR_MODE) node->mode = (node->mode & S_IFMT) | (wanted->st_mode & 07777);
    if (what & FUSE_SET_ATTR_UID) node->owner = wanted->st_uid;
    if (what & FUSE_SET_ATTR_GID) node->group = wanted->st_gid;
    if (what & FUSE_SET_ATTR_SIZE) {
        set_length(node, wanted->st_size);
        if (lost(request, node)) return;
    }
    if (what & FUSE_SET_ATTR_MTIME) node->changed = wanted->st_mtim;
    if (what & FUSE_SET_ATTR_MTIME_NOW) node->changed = now();
    struct stat status = status_of(node);
    fuse_reply_attr(request, &status, 1);
}

static bool ends(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

// Nothing, with an answer, if the name is taken or the power is gone.
static struct node *make_named(fuse_req_t request, fuse_ino_t parent, const char *text, mode_t mode) {
    struct node *directory = node_of(parent);
    if (is_off || find(&directory->names, text) || (parent == FUSE_ROOT_ID && strcmp(text, ".power") == 0)) {
        fuse_reply_err(request, is_off ? EIO : EEXIST);
        return NULL;
    }
    const struct fuse_ctx *caller = fuse_req_ctx(request);
    struct node *node = make(mode, caller->uid, caller->gid, ++last_number);
    node->links = 1;
    node->is_shared_memory = ends(text, "-shm");
    node->is_log = ends(text, "-wal");
    name(directory, text, node, ++last_change);
    return lost(request, node) ? NULL : node;
}

static void do_mknod(fuse_req_t request, fuse_ino_t parent, const char *text, mode_t mode, dev_t device) {
    (void)device;
    struct node *node = make_named(request, parent, text, mode);
    if (!node) return;
    struct fuse_entry_param entry = entry_of(node);
    fuse_reply_entry(request, &entry);
}

static void do_mkdir(fuse_req_t request, fuse_ino_t parent, const char *text, mode_t mode) {
    do_mknod(request, parent, text, S_IFDIR | mode, 0);
}

static void do_symlink(fuse_req_t request, const char *target, fuse_ino_t parent, const char *text) {
    struct node *node = make_named(request, parent, text, S_IFLNK | 0777);
    if (!node) return;
    node->target = needed(strdup(target));
    struct fuse_entry_param entry = entry_of(node);
    fuse_reply_entry(request, &entry);
}

static void do_readlink(fuse_req_t request, fuse_ino_t number) {
    WITH_POWER
    fuse_reply_readlink(request, node_of(number)->target);
}

static void do_create(
    fuse_req_t request, fuse_ino_t parent, const char *text, mode_t mode, struct fuse_file_info *file) {
    struct node *node = make_named(request, parent, text, S_IFREG | (mode & 07777));
    if (!node) return;
    struct fuse_entry_param entry = entry_of(node);
    fuse_reply_create(request, &entry, file);
}

static void remove_name(fuse_req_t request, fuse_ino_t parent, const char *text, bool is_directory) {
    WITH_POWER
    struct node *directory = node_of(parent);
    struct name *found = find(&directory->names, text);
    int code = 0;
    if (!found) {
        code = ENOENT;
    } else if (is_directory && (!S_ISDIR(found->node->mode) || found->node->names.count > 0)) {
        code = S_ISDIR(found->node->mode) ? ENOTEMPTY : ENOTDIR;
    } else {
        struct node *node = found->node;
        node->links--;
        name(directory, text, NULL, ++last_change);
        if (lost(request, node)) return;
    }
    fuse_reply_err(request, code);
}

static void do_unlink(fuse_req_t request, fuse_ino_t parent, const char *text) {
    remove_name(request, parent, text, false);
}

static void do_rmdir(fuse_req_t request, fuse_ino_t parent, const char *text) {
    remove_name(request, parent, text, true);
}

static void do_rename(
    fuse_req_t request, fuse_ino_t parent, const char *text, fuse_ino_t new_parent, const char *new_text,
    unsigned flags) {
    WITH_POWER
    struct node *from = node_of(parent), *to = node_of(new_parent);
    struct name *found = find(&from->names, text), *taken = find(&to->names, new_text);
    if (!found || (flags & ~RENAME_NOREPLACE) || (taken && (flags & RENAME_NOREPLACE))) {
        fuse_reply_err(request, !found ? ENOENT : taken ? EEXIST : EINVAL);
        return;
    }
    struct node *node = found->node;
    if (taken && taken->node == node) {
        fuse_reply_err(request, 0);
        return;
    }
    if (taken && S_ISDIR(taken->node->mode) && taken->node->names.count > 0) {
        fuse_reply_err(request, ENOTEMPTY);
        return;
    }
    if (taken) taken->node->links--;
    ++last_change;
    name(to, new_text, node, last_change);
    name(from, text, NULL, last_change);
    if (!lost(request, node)) fuse_reply_err(request, 0);
}

static void do_link(fuse_req_t request, fuse_ino_t number, fuse_ino_t parent, const char *text) {
    WITH_POWER
    struct node *node = node_of(number), *directory = node_of(parent);
    if (find(&directory->names, text)) {
        fuse_reply_err(request, EEXIST);
        return;
    }
    node->links++;
    name(directory, text, node, ++last_change);
    if (lost(request, node)) return;
    struct fuse_entry_param entry = entry_of(node);
    fuse_reply_entry(request, &entry);
}

static void do_open(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *file) {
    if (number == SWITCH) {
        file->direct_io = 1;
        fuse_reply_open(request, file);
        return;
    }
    WITH_POWER
    struct node *node = node_of(number);
    file->keep_cache = 1;
    if (file->flags & O_TRUNC) {
        set_length(node, 0);
        file->keep_cache = 0;
        if (lost(request, node)) return;
    }
    fuse_reply_open(request, file);
}

static void do_read(fuse_req_t request, fuse_ino_t number, size_t size, off_t start, struct fuse_file_info *file) {
    (void)file;
    if (number == SWITCH) {
        char text[100];
        int length = snprintf(text, sizeof text, "%s cuts=%lu changes=%lu\n", is_off ? "off" : "on", cuts, changes);
        if (start >= length) size = 0;
        else if (size > (size_t)(length - start)) size = length - start;
        fuse_reply_buf(request, text + (size ? start : 0), size);
        return;
    }
    WITH_POWER
    struct node *node = node_of(number);
    if ((size_t)start >= node->length) size = 0;
    else if (size > node->length - start) size = node->length - start;
    fuse_reply_buf(request, size ? (const char *)node->bytes + start : NULL, size);
}

static bool take_order(const char *order) {
    char mode[16], what[20];
    unsigned long long seed;
    long after;
    int used = 0;
    if (sscanf(order, "lie %19s", what) == 1) {
        bool all_of_them = strcmp(what, "all") == 0;
        lies.files = all_of_them || strcmp(what, "files") == 0;
        lies.directories = all_of_them || strcmp(what, "directories") == 0;
        lies.log = strcmp(what, "log") == 0;
        return lies.files || lies.directories || lies.log || strcmp(what, "nothing") == 0;
    }
    if (sscanf(order, "cut %15s %llu %ld%n", mode, &seed, &after, &used) != 3 || !strchr("ensa", mode[0]) || after < 0)
        return false;
    plan.mode = mode[0];
    plan.seed = seed;
    plan.after = after;
    plan.count = 0;
    for (char *end; plan.count < PIDS; order = end) {
        long pid = strtol(plan.count ? order : order + used, &end, 10);
        if (pid <= 0) break;
        plan.pids[plan.count++] = pid;
    }
    if (after == 0) cut();
    return true;
}

static void do_write(
    fuse_req_t request, fuse_ino_t number, const char *bytes, size_t size, off_t start, struct fuse_file_info *file) {
    (void)file;
    if (number == SWITCH) {
        char order[400] = {0};
        memcpy(order, bytes, size < sizeof order ? size : sizeof order - 1);
        if (!is_off && take_order(order)) fuse_reply_write(request, size);
        else fuse_reply_err(request, is_off ? EIO : EINVAL);
        return;
    }
    WITH_POWER
    struct node *node = node_of(number);
    make_room(&node->bytes, &node->room, start + size);
    memcpy(node->bytes + start, bytes, size);
    size_t before = node->length;
    if (start + size > node->length) node->length = start + size;
    written(node, (size_t)start > before ? before : (size_t)start, start + size);
    if (!lost(request, node)) fuse_reply_write(request, size);
}

static void do_flush(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *file) {
    (void)number, (void)file;
    fuse_reply_err(request, 0);
}

static void do_fsync(fuse_req_t request, fuse_ino_t number, int only_data, struct fuse_file_info *file) {
    (void)only_data, (void)file;
    if (number == SWITCH) {
        fuse_reply_err(request, 0);
        return;
    }
    WITH_POWER
    struct node *node = node_of(number);
    if (!(S_ISDIR(node->mode) ? lies.directories : lies.files || (lies.log && node->is_log))) sync_node(node);
    if (!lost(request, node)) fuse_reply_err(request, 0);
}

struct listing {
    char *bytes;
    size_t length;
};

static void add(fuse_req_t request, struct listing *list, const char *text, fuse_ino_t number, mode_t mode) {
    struct stat status = {.st_ino = number, .st_mode = mode};
    size_t length = fuse_add_direntry(request, NULL, 0, text, NULL, 0), before = list->length;
    list->length += length;
    list->bytes = needed(realloc(list->bytes, list->length));
    fuse_add_direntry(request, list->bytes + before, length, text, &status, list->length);
}

// What a directory holds is taken down when it is opened: names that come and go move none of the others.
static void do_opendir(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *file) {
    WITH_POWER
    struct node *node = node_of(number);
    struct listing *list = needed(calloc(1, sizeof *list));
    add(request, list, ".", number, S_IFDIR);
    add(request, list, "..", FUSE_ROOT_ID, S_IFDIR);
    for (size_t i = 0; i < node->names.count; i++)
        add(request, list, node->names.list[i].text, node->names.list[i].node->number, node->names.list[i].node->mode);
    file->fh = (uintptr_t)list;
    fuse_reply_open(request, file);
}

static void do_readdir(fuse_req_t request, fuse_ino_t number, size_t size, off_t start, struct fuse_file_info *file) {
    (void)number;
    struct listing *list = (struct listing *)(uintptr_t)file->fh;
    if ((size_t)start >= list->length) size = 0;
    else if (size > list->length - start) size = list->length - start;
    fuse_reply_buf(request, size ? list->bytes + start : NULL, size);
}

static void do_releasedir(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *file) {
    (void)number;
    struct listing *list = (struct listing *)(uintptr_t)file->fh;
    free(list->bytes);
    free(list);
    fuse_reply_err(request, 0);
}

static void do_statfs(fuse_req_t request, fuse_ino_t number) {
    (void)number;
    struct statvfs status = {.f_bsize = PAGE, .f_frsize = PAGE, .f_blocks = 1 << 18, .f_bfree = 1 << 18,
        .f_bavail = 1 << 18, .f_files = 1 << 20, .f_ffree = 1 << 20, .f_favail = 1 << 20, .f_namemax = 255};
    fuse_reply_statfs(request, &status);
}

static void do_init(void *data, struct fuse_conn_info *connection) {
    (void)data;
    // All changes come through the kernel's own cache, which need not be thrown away.
    connection->want &= ~(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_WRITEBACK_CACHE);
}

static const struct fuse_lowlevel_ops operations = {
    .init = do_init, .lookup = do_lookup, .getattr = do_getattr, .setattr = do_setattr, .readlink = do_readlink,
    .mknod = do_mknod, .mkdir = do_mkdir, .unlink = do_unlink, .rmdir = do_rmdir, .symlink = do_symlink,
    .rename = do_rename, .link = do_link, .open = do_open, .read = do_read, .write = do_write, .flush = do_flush,
    .fsync = do_fsync, .opendir = do_opendir, .readdir = do_readdir, .releasedir = do_releasedir,
    .fsyncdir = do_fsync, .statfs = do_statfs, .create = do_create,
};

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: lossy-disk DIRECTORY\n");
        return 64;
    }
    struct node *root = make(S_IFDIR | 0755, getuid(), getgid(), FUSE_ROOT_ID);
    int ended; // by a signal
    do {
        is_off = false;
        char *options[] = {arguments[0], "-o", "fsname=promptd-fault-test,subtype=lossy-disk,default_permissions"};
        struct fuse_args given = FUSE_ARGS_INIT(3, options);
        struct fuse_session *session = fuse_session_new(&given, &operations, sizeof operations, NULL);
        if (!session || fuse_set_signal_handlers(session) != 0 || fuse_session_mount(session, arguments[1]) != 0)
            return 70;
        ended = fuse_session_loop(session);
        fuse_session_unmount(session);
        fuse_remove_signal_handlers(session);
        fuse_session_destroy(session);
        fuse_opt_free_args(&given);
        if (is_off) collect(root);
    } while (is_off && ended == 0);
    return 0;
}
