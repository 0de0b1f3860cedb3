/* import_file IN OUT: lks_import, for check_import.py. */
#include "oracle/gguf/import.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    lks_gguf *g = NULL;
    lks_import_result result;
    lks_err err =
        argc == 3 ? lks_gguf_open(&g, argv[1]) : lks_fail(LKS_BADARGS, "usage: import_file IN OUT");
    if (!err)
        err = lks_import(g, argv[2], NULL, NULL, &result);
    lks_gguf_close(g);
    if (err)
        printf("%s: %s\n", lks_err_name(err), lks_error_message());
    else
        printf("converted %u, kept %u\n", result.converted, result.kept);
    return err != LKS_OK;
}
