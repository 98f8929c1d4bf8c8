dnl What `phpize` makes of this is `./configure`; cargo does the rest, see Makefile.frag.

PHP_ARG_ENABLE([prebind], [whether to enable prebind], [AS_HELP_STRING([--enable-prebind], [Enable prebind])], [yes])

if test "$PHP_PREBIND" != "no"; then
  AC_PATH_PROG([CARGO], [cargo], [no])
  if test "$CARGO" = "no"; then
    AC_MSG_ERROR([prebind needs Rust 1.88 or newer, see https://rustup.rs])
  fi
  dnl cargo asks this very PHP what it is, and needs full paths for it.
  AC_PATH_PROG([PREBIND_PHP_CONFIG], [$PHP_CONFIG])
  PREBIND_PHP=$PHP_EXECUTABLE
  PHP_SUBST(CARGO)
  PHP_SUBST(PREBIND_PHP)
  PHP_SUBST(PREBIND_PHP_CONFIG)
  dnl All three arguments: without the last it is looked for elsewhere.
  PHP_ADD_MAKEFILE_FRAGMENT($abs_srcdir/Makefile.frag, $abs_srcdir, $abs_builddir)
  PHP_MODULES="$PHP_MODULES \$(phplibdir)/prebind.so"
  PHP_SUBST(PHP_MODULES)
fi
