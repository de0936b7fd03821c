#!/usr/bin/env bash
# Compiles the Unity client against small fakes of Unity, with and without the editor, and runs
# its NUnit tests under mono. Usage: tools/build_unity_tests.sh [--no-run] [NUNIT-CONSOLE OPTIONS]
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in mcs mono nunit-console; do
    if ! command -v "$tool" >/dev/null; then
        echo "posestream: $tool is missing: apt-get install mono-mcs mono-runtime" \
            "nunit-console libnunit-framework2.6.3-cil" >&2
        exit 3
    fi
done

run=1
if [ "${1:-}" = --no-run ]; then
    run=0
    shift
fi
out="${POSESTREAM_UNITY_OUT:-$(mktemp -d)}"
if [ -z "${POSESTREAM_UNITY_OUT:-}" ]; then
    trap 'rm -rf "$out"' EXIT
fi
mkdir -p "$out/player" "$out/editor"
nunit=$(find /usr/lib/cli /usr/lib/mono/gac -path '*2.6*' -name nunit.framework.dll | sort | head -n 1)

# compile NAME DEFINES REFERENCES FOLDERS…: a library, every warning an error
compile() {
    local name=$1 defines=$2 references=$3
    shift 3
    local files=() flags=()
    while IFS= read -r file; do files+=("$file"); done < <(find "$@" -name '*.cs' | LC_ALL=C sort)
    for reference in $references; do flags+=("-r:$reference"); done
    [ -z "$defines" ] || flags+=("-d:$defines")
    mcs -langversion:7.2 -target:library -nologo -optimize+ -debug -warn:4 -warnaserror+ \
        "${flags[@]}" -out:"$name" "${files[@]}"
}

# CS0649: fields that only Unity's serialisation sets; unavoidable in components
client=unity_client
for kind in player editor; do
    defines="UNITY_2021_3_OR_NEWER"
    [ "$kind" = player ] || defines="$defines;UNITY_EDITOR"
    at="$out/$kind"
    compile "$at/Posestream.Core.dll" "$defines" "" "$client/Runtime/Core"
    compile "$at/UnityEngine.dll" "$defines" "" tests/unity/fakes/engine
    compile "$at/Posestream.Unity.dll" "$defines" \
        "$at/Posestream.Core.dll $at/UnityEngine.dll" "$client/Runtime/Unity"
    for generation in 0 1; do
        compile "$at/UniVrm$generation.dll" "$defines" "$at/UnityEngine.dll" \
            "tests/unity/fakes/univrm$generation"
        compile "$at/Posestream.UniVrm$generation.dll" "$defines" \
            "$at/Posestream.Core.dll $at/Posestream.Unity.dll $at/UnityEngine.dll $at/UniVrm$generation.dll" \
            "$client/Runtime/UniVrm$generation"
    done
done
at="$out/editor"
compile "$at/UnityEditor.dll" "UNITY_EDITOR" "$at/UnityEngine.dll" tests/unity/fakes/editor
compile "$at/Posestream.Editor.dll" "UNITY_2021_3_OR_NEWER;UNITY_EDITOR" \
    "$at/Posestream.Core.dll $at/Posestream.Unity.dll $at/UnityEngine.dll $at/UnityEditor.dll" \
    "$client/Editor"
compile "$at/Samples.dll" "UNITY_2021_3_OR_NEWER" \
    "$at/Posestream.Core.dll $at/Posestream.Unity.dll $at/UnityEngine.dll" "$client/Samples~"
compile "$at/Posestream.Tests.dll" "UNITY_2021_3_OR_NEWER;UNITY_EDITOR;UNITY_INCLUDE_TESTS" \
    "$at/Posestream.Core.dll $at/Posestream.Unity.dll $at/Posestream.Editor.dll $at/UnityEngine.dll $at/UnityEditor.dll $at/UniVrm0.dll $at/UniVrm1.dll $at/Posestream.UniVrm0.dll $at/Posestream.UniVrm1.dll $nunit" \
    "$client/Tests" tests/unity/mono
cp "$nunit" "$at/"
echo "compiled: player, editor, samples, tests"
[ "$run" = 1 ] || exit 0

# nunit-console's exit code is the number of failures
nunit-console "$at/Posestream.Tests.dll" -nologo -noshadow -nodots \
    -xml="$out/TestResult.xml" "$@"
