#!/bin/sh
# Runs a command as another processor would: variant.sh NUMBER COMMAND...
# What a page shows and what a test asserts has to hold on all of them.
set -eu
case $1 in
    0) set -- "$@" THREADS=1; variable=ATEN_CPU_CAPABILITY value=default ;;
    1) set -- "$@" THREADS=2; variable=ATEN_CPU_CAPABILITY value=avx2 ;;
    2) variable=OPENBLAS_CORETYPE value=Nehalem ;;
    3) variable=OPENBLAS_CORETYPE value=Sandybridge ;;
    4) variable=NPY_DISABLE_CPU_FEATURES value="X86_V3 X86_V4 AVX512_ICL AVX512_SPR" ;;
    5) variable=MKL_ENABLE_INSTRUCTIONS value=SSE4_2 ;;
    *) echo "There is no variant $1: choose 0 to 5." >&2; exit 2 ;;
esac
shift
echo "with $variable=$value"
export "$variable=$value"
exec "$@"
