#include "tests/plugin/exports.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct image {
    unsigned char *bytes;
    size_t size;
} image;

/* Returns: count objects of the given size at offset, or NULL when they do not lie in the file or
 * are not aligned. */
static const void *at(const image *file, uint64_t offset, uint64_t size, uint64_t count)
{
    if (offset > file->size || count > (file->size - offset) / size ||
        (size > 1 && offset % sizeof(void *)))
        return NULL;
    return file->bytes + offset;
}

static bool read_file(const char *path, image *file)
{
    FILE *f = fopen(path, "rb");
    long size = -1;
    if (f && fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
        file->bytes = malloc((size_t)size + 1);
        file->size = (size_t)size;
        if (file->bytes && fread(file->bytes, 1, file->size, f) != file->size)
            size = -1;
    }
    if (f)
        fclose(f);
    return size >= 0 && file->bytes;
}

/* Reads the class of ELF file that this program is itself. */
static bool check_symbols(const image *file, const char *only, char *why, size_t why_len)
{
    const ElfW(Ehdr) *header = at(file, 0, sizeof *header, 1);
    const ElfW(Shdr) *sections = header && !memcmp(header->e_ident, ELFMAG, SELFMAG) &&
                                         header->e_shentsize == sizeof *sections
                                     ? at(file, header->e_shoff, sizeof *sections, header->e_shnum)
                                     : NULL;
    bool found = false;
    for (unsigned i = 0; sections && i < header->e_shnum; i++) {
        const ElfW(Shdr) *s = &sections[i];
        if (s->sh_type != SHT_DYNSYM || s->sh_link >= header->e_shnum)
            continue;
        size_t count = s->sh_size / sizeof(ElfW(Sym));
        const ElfW(Sym) *symbols = at(file, s->sh_offset, sizeof *symbols, count);
        const ElfW(Shdr) *names = &sections[s->sh_link];
        const char *text = at(file, names->sh_offset, 1, names->sh_size);
        if (!symbols || !text || names->sh_size == 0 || text[names->sh_size - 1]) {
            snprintf(why, why_len, "its symbol table lies outside the file");
            return false;
        }
        for (size_t k = 0; k < count; k++) {
            unsigned bind = symbols[k].st_info >> 4;
            if (symbols[k].st_shndx == SHN_UNDEF || bind == STB_LOCAL ||
                symbols[k].st_name >= names->sh_size)
                continue;
            const char *name = text + symbols[k].st_name;
            if (strcmp(name, only)) {
                snprintf(why, why_len, "it exports %.200s too", name);
                return false;
            }
            found = true;
        }
    }
    if (!found)
        snprintf(why, why_len, "it does not export %s, or is no shared object of this machine",
                 only);
    return found;
}

bool exports_only(const char *path, const char *only, char *why, size_t why_len)
{
    image file = {0};
    bool good = false;
    if (read_file(path, &file))
        good = check_symbols(&file, only, why, why_len);
    else
        snprintf(why, why_len, "it cannot be read");
    free(file.bytes);
    return good;
}
