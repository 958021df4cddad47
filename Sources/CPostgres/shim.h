// Debian keeps libpq's headers in a folder of their own, which pkg-config names; a machine without pkg-config finds them too.
#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif
