/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/bytes.h"
#include "seeder/image/uki.h"

/* Of the DOS header, and of the PE header that it points to */
#define DOS_HEADER_BYTES    64U
#define DOS_PE_AT           60U
#define PE_HEADER_BYTES     24U
#define PE_N_SECTIONS_AT    6U
#define PE_OPTIONAL_SIZE_AT 20U

/* Of an entry in the table of sections */
#define SECTION_BYTES           40U
#define SECTION_VIRTUAL_SIZE_AT 8U
#define SECTION_FILE_SIZE_AT    16U
#define SECTION_FILE_AT         20U

typedef struct Table {
        const uint8_t *sections;
        unsigned n_sections;
} Table;

static int find_table(const uint8_t *head, size_t length, Table *ret_table) {
        size_t pe_at, table_at;
        const uint8_t *pe;

        if (length < DOS_HEADER_BYTES || memcmp(head, "MZ", 2) != 0)
                return UKI_E_OTHER;
        pe_at = read_le32(head + DOS_PE_AT);
        if (pe_at > length || length - pe_at < PE_HEADER_BYTES)
                return -EBADMSG;
        pe = head + pe_at;
        if (memcmp(pe, "PE\0\0", 4) != 0)
                return UKI_E_OTHER;

        table_at = pe_at + PE_HEADER_BYTES + read_le16(pe + PE_OPTIONAL_SIZE_AT);
        ret_table->n_sections = read_le16(pe + PE_N_SECTIONS_AT);
        if (table_at > length || (length - table_at) / SECTION_BYTES < ret_table->n_sections)
                return -EBADMSG;
        ret_table->sections = head + table_at;
        return 0;
}

/* What lies in the file and is loaded: the rest up to the virtual size is zeroes. */
static UkiSection section_of(const uint8_t *entry) {
        uint32_t in_memory = read_le32(entry + SECTION_VIRTUAL_SIZE_AT);
        uint32_t in_file = read_le32(entry + SECTION_FILE_SIZE_AT);

        return (UkiSection){
                .offset = read_le32(entry + SECTION_FILE_AT),
                .length = in_memory == 0 ? in_file : MIN(in_memory, in_file),
        };
}

int uki_next_section(
        const uint8_t *head,
        size_t length,
        const char name[static UKI_NAME_BYTES],
        unsigned *number,
        UkiSection *ret_section) {
        Table table;
        int r;

        r = find_table(head, length, &table);
        if (r != 0)
                return r;
        while (*number < table.n_sections) {
                const uint8_t *entry = table.sections + (size_t)SECTION_BYTES * *number;

                ++*number;
                if (memcmp(entry, name, UKI_NAME_BYTES) != 0)
                        continue;
                *ret_section = section_of(entry);
                return 0;
        }
        return UKI_E_NONE;
}
