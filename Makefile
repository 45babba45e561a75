# Everything works on a machine with git, make and apt (as root or with sudo): what is missing is
# installed first. `make help` lists the targets.

BUILD ?= build
PREFIX ?= /usr/local
OUT ?= out/demo
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
WERROR ?= ON
# ON: several files are compiled as one, which takes half the time; OFF: one by one, for who works on them
UNITY ?= ON

# The Python that GNU Radio was built for, whatever python3 is first on the PATH.
PYTHON = $$(cat $(BUILD)/python_executable)
IN_TREE = PYTHONPATH=$(abspath $(BUILD))/test_modules:$$PYTHONPATH

.PHONY: help setup configure build generate demo test sanitize sanitize-python sanitize-threads valgrind sanitize-all \
    start-stop fuzz coverage soak soak-samples bench bench-check bench-baseline docs install deb format clean

help:
	@echo "make demo             build what it needs, then compare the receivers on a software channel"
	@echo "                      (report in $(OUT))"
	@echo "make test             build everything with warnings as errors, run all tests"
	@echo "make sanitize         C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer"
	@echo "make sanitize-python  Python tests under both"
	@echo "make sanitize-threads flowgraphs in a storm under ThreadSanitizer, CYCLES=30 per flowgraph"
	@echo "make valgrind         C++ tests under valgrind: memory errors and leaks"
	@echo "make sanitize-all     these four, for a night"
	@echo "make start-stop       flowgraphs started and stopped CYCLES=1000 times: memory must not grow"
	@echo "make coverage         share of the lines that the tests run, of lib/ and python/ (in out/coverage)"
	@echo "make soak             an hour in flowgraphs with faults, all detectors in turn (in out/soak)"
	@echo "make soak-samples     the same for up to 1e9 samples"
	@echo "make fuzz             hostile input by libFuzzer, FUZZ_SECONDS=60 per target (findings in out/fuzz)"
	@echo "make bench            kernels, blocks, trainings, memory beside other libraries (report in out/bench)"
	@echo "make bench-check      what fell: speeds beside peers and errors on the same frames, against a stored baseline"
	@echo "make bench-baseline   stores them (tests/bench/baseline.json), after a change that is wanted"
	@echo "make docs             the documentation as a site (in out/docs)"
	@echo "make generate         blocks for Companion, type stub, docs/detectors.md and docs/blocks, from what the detectors say"
	@echo "make install PREFIX=  install (default /usr/local)"
	@echo "make deb              Debian packages (in out/deb)"
	@echo "make format           format C++ with clang-format, Python with black"
	@echo "make clean            remove build folders and reports"

setup:
	@tools/setup.sh

configure: setup
	@cmake -S . -B $(BUILD) -DENABLE_WERROR=$(WERROR) -DCMAKE_UNITY_BUILD=$(UNITY) > $(BUILD).log 2>&1 || \
	    { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

build: configure
	@cmake --build $(BUILD) -j $(JOBS)

# After a change of what a detector says of itself; the files are committed.
generate: configure
	@cmake --build $(BUILD) -j $(JOBS) --target reservoir_python
	@$(IN_TREE) $(PYTHON) tools/generate

# the module and the library it needs, no tests
demo: configure
	@cmake --build $(BUILD) -j $(JOBS) --target reservoir_python
	@$(IN_TREE) $(PYTHON) -m gnuradio.reservoir demo --out $(OUT)

PARALLEL = $$($(PYTHON) -c "import xdist" 2>/dev/null && echo "--dist loadfile -n $(JOBS)")
PYTEST = $(PYTHON) -m pytest -q -p no:cacheprovider $(PARALLEL)
# Tests that run GNU Radio's own blocks, which call VOLK, as nothing of ours does: once with its
# generic code and once with this processor's, as each would hide an error of the other.
# (A process that calls VOLK looks for a file named volk_config: strace shows it.) Longest first.
CALL_VOLK = examples demo link_grc ota gnuradio_examples equalizer software_channel packets readme \
    symbol_error_meter frame_sync
test: configure
	@tools/setup.sh test
	@cmake -S . -B $(BUILD) -DENABLE_BENCHMARKS=ON > /dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	cd $(BUILD) && ctest --output-on-failure -j $(JOBS)
	$(IN_TREE) VOLK_GENERIC=1 $(PYTEST) $(CALL_VOLK:%=tests/python/test_%.py)
	$(IN_TREE) $(PYTEST) tests/python

# file by file: that every file includes what it uses is seen here
sanitize: setup
	@cmake -S . -B $(BUILD)-sanitize -DENABLE_WERROR=$(WERROR) -DENABLE_SANITIZERS=ON \
	    -DENABLE_PYTHON=OFF -DENABLE_GRC=OFF -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O0 -g1" > /dev/null
	@cmake --build $(BUILD)-sanitize -j $(JOBS)
	cd $(BUILD)-sanitize && ASAN_OPTIONS=detect_leaks=0 ctest --output-on-failure -j $(JOBS) -E _simd

# The module with sanitizers, loaded into a Python that has none: their libraries come first, and
# libstdc++ as well, or exceptions would pass them by. What they say goes to files: pytest would keep it to
# itself. Left out: tests that compile programs.
SANITIZERS_FIRST = LD_PRELOAD="$$(for one in asan ubsan stdc++; do g++ -print-file-name=lib$$one.so; done | xargs)" \
    ASAN_OPTIONS=detect_leaks=0:log_path=$(REPORTS) UBSAN_OPTIONS=print_stacktrace=1:log_path=$(REPORTS)
REPORTS = $(abspath $(BUILD))-sanitize-python/report
COMPILING = grc_blocks link_grc new_detector
sanitize-python: configure
	@tools/setup.sh test
	@cmake -S . -B $(BUILD)-sanitize-python -DENABLE_WERROR=$(WERROR) -DENABLE_SANITIZERS=ON -DENABLE_TESTING=OFF \
	    -DENABLE_GRC=OFF -DCMAKE_UNITY_BUILD=ON -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1 -g1" > /dev/null
	@cmake --build $(BUILD)-sanitize-python -j $(JOBS) --target reservoir_python
	@rm -f $(REPORTS).*
	$(SANITIZERS_FIRST) PYTHONPATH=$(abspath $(BUILD))-sanitize-python/test_modules:$$PYTHONPATH $(PYTEST) tests/python \
	    $(COMPILING:%=--ignore=tests/python/test_%.py) || { cat $(REPORTS).* 2> /dev/null; exit 1; }

# GNU Radio and the other libraries are not instrumented: what only they know of the order of their threads
# is in the list of exceptions. Without random addresses, which some versions of the sanitizer cannot bear.
WITH_THREADS = reservoir_test_background_training reservoir_test_concurrency
sanitize-threads: export TSAN_OPTIONS = suppressions=$(abspath tests/sanitizers/threads.supp)
sanitize-threads: export RESERVOIR_CYCLES = $(or $(CYCLES),30)
sanitize-threads: setup
	@cmake -S . -B $(BUILD)-threads -DENABLE_WERROR=$(WERROR) -DENABLE_THREAD_SANITIZER=ON \
	    -DENABLE_PYTHON=OFF -DENABLE_GRC=OFF -DCMAKE_UNITY_BUILD=ON -DCMAKE_BUILD_TYPE=None \
	    -DCMAKE_CXX_FLAGS="-O1 -g1" > /dev/null
	@cmake --build $(BUILD)-threads -j $(JOBS) --target $(WITH_THREADS)
	@fixed=$$(setarch -R true 2> /dev/null && echo setarch -R); \
	for program in $(WITH_THREADS); do \
	    $$fixed $$(find $(BUILD)-threads/tests -name $$program -type f) || exit 1; \
	done
	@echo "No race in $(WITH_THREADS)."

# Of the usual build: ten minutes of one core. Valgrind shows the program a processor with AVX2;
# what is for AVX-512 does not run. Its long double has 64 bits: test_oscillator, which compares with it, would fail.
VALGRIND = valgrind --quiet --error-exitcode=99 --fair-sched=yes --leak-check=full \
    --errors-for-leak-kinds=definite --show-leak-kinds=definite
valgrind: build
	@tools/setup.sh valgrind
	@find $(BUILD)/tests -type f -name 'reservoir_test_*' ! -name '*.sh' ! -name reservoir_test_oscillator | sort > $(BUILD)/valgrind.txt
	@RESERVOIR_CYCLES=3 xargs -P $(JOBS) -n 1 $(VALGRIND) < $(BUILD)/valgrind.txt
	@echo "No memory error and no leak in $$(wc -l < $(BUILD)/valgrind.txt) programs."

sanitize-all: sanitize sanitize-python sanitize-threads valgrind

start-stop: configure
	@cmake --build $(BUILD) -j $(JOBS) --target reservoir_python
	@$(IN_TREE) $(PYTHON) tests/bench/start_stop.py --cycles $(or $(CYCLES),1000)

# Everything is compiled once more, by clang and with sanitizers. What is found goes to
# out/fuzz/TARGET-*; put into tests/fuzz/inputs/TARGET it is run by every build's tests. GNU Radio keeps
# symbols until the end, which is no leak.
FUZZ_SECONDS ?= 60
FUZZ_TIMEOUT ?= 60 # seconds for an input, beyond which it counts as a hang
FUZZ_CXX ?= clang++-16
FUZZ_TARGETS ?= $(patsubst tests/fuzz/fuzz_%.cc,%,$(filter-out %_input.cc,$(wildcard tests/fuzz/fuzz_*.cc)))
fuzz:
	@tools/setup.sh fuzz
	@CXX=$(FUZZ_CXX) cmake -S . -B $(BUILD)-fuzz -DENABLE_FUZZING=ON -DENABLE_WERROR=$(WERROR) -DENABLE_PYTHON=OFF \
	    -DENABLE_GRC=OFF -DENABLE_TESTING=OFF -DCMAKE_UNITY_BUILD=ON -DCMAKE_BUILD_TYPE=None \
	    -DCMAKE_CXX_FLAGS="-O1 -gline-tables-only" > /dev/null
	@cmake --build $(BUILD)-fuzz -j $(JOBS)
	@for target in $(FUZZ_TARGETS); do \
	    mkdir -p out/fuzz/$$target && \
	    (ASAN_OPTIONS=detect_leaks=0 $(BUILD)-fuzz/tests/fuzz/fuzz_$$target out/fuzz/$$target \
	        $$(ls -d tests/fuzz/inputs/$$target 2>/dev/null) \
	        -max_total_time=$(FUZZ_SECONDS) -max_len=600 -len_control=0 -timeout=$(FUZZ_TIMEOUT) -print_final_stats=1 \
	        -artifact_prefix=out/fuzz/$$target- > out/fuzz/$$target.log 2>&1; \
	        status=$$?; times > out/fuzz/$$target.times; exit $$status) || \
	        { tail -n 60 out/fuzz/$$target.log; echo "fuzz_$$target: a finding, see out/fuzz/$$target.log"; exit 1; }; \
	    echo "fuzz_$$target: $(FUZZ_SECONDS) s, $$(sed -n '2s/[.].*/s/p' out/fuzz/$$target.times) of a processor," \
	        "$$(sed -n 's/^stat::number_of_executed_units: *//p' out/fuzz/$$target.log) inputs, no finding"; \
	done

# Every test once, so it takes longer than they do. Threads count without locks, which make inner loops
# many times slower: a count may be wrong, even negative, which gcovr is to bear; whether a line ran is right.
coverage: configure
	@tools/setup.sh coverage
	@mkdir -p out/coverage/lib
	@cmake -S . -B $(BUILD)-coverage -DENABLE_COVERAGE=ON -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1 -g1" \
	    -DCMAKE_UNITY_BUILD=ON > /dev/null
	@cmake --build $(BUILD)-coverage -j $(JOBS)
	@find $(BUILD)-coverage -name '*.gcda' -delete
	cd $(BUILD)-coverage && ctest --output-on-failure -j $(JOBS)
	COVERAGE_FILE=out/coverage/python.data PYTHONPATH=$(abspath $(BUILD))-coverage/test_modules:$$PYTHONPATH \
	    $(PYTEST) tests/python --cov=python/reservoir --cov-report=term \
	    --cov-report=html:out/coverage/python --cov-fail-under=85 > out/coverage/python.txt 2>&1 || \
	    { tail -n 60 out/coverage/python.txt; exit 1; }
	cd $(BUILD)-coverage/lib && gcovr --root $(CURDIR) --filter $(CURDIR)/lib/ --print-summary --exclude-throw-branches \
	    --gcov-ignore-parse-errors --html-details $(CURDIR)/out/coverage/lib/index.html --fail-under-line 90 . \
	    > $(CURDIR)/out/coverage/lib.txt 2> $(CURDIR)/out/coverage/gcovr.log || \
	    { tail -n 5 $(CURDIR)/out/coverage/lib.txt; exit 1; }
	@echo "lib/: $$(sed -n 's/^lines: //p' out/coverage/lib.txt); python/: $$(sed -n 's/^TOTAL.* //p' out/coverage/python.txt)"

soak: configure
	@cmake --build $(BUILD) -j $(JOBS) --target reservoir_python
	@$(IN_TREE) $(PYTHON) tests/bench/soak.py

soak-samples: configure
	@cmake --build $(BUILD) -j $(JOBS) --target reservoir_python
	@$(IN_TREE) $(PYTHON) tests/bench/soak.py --by-samples --out out/soak-samples

bench: configure
	@tools/setup.sh bench
	@cmake -S . -B $(BUILD) -DENABLE_BENCHMARKS=ON > /dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	$(IN_TREE) $(PYTHON) tests/bench/bench.py --kernels $(BUILD)/tests/bench/bench_kernels

bench-check bench-baseline: configure
	@tools/setup.sh bench
	@cmake -S . -B $(BUILD) -DENABLE_BENCHMARKS=ON > /dev/null
	@cmake --build $(BUILD) -j $(JOBS) --target reservoir_python bench_kernels
	@$(IN_TREE) $(PYTHON) tests/bench/bench_check.py --kernels $(BUILD)/tests/bench/bench_kernels \
	    $(if $(filter bench-baseline,$@),--write) $(if $(ONLY),--only $(ONLY))

docs: configure
	@tools/setup.sh docs
	@cmake --build $(BUILD) -j $(JOBS) --target reservoir_python
	@$(IN_TREE) $(PYTHON) -m sphinx -b html -E -W --keep-going -q docs out/docs
	@echo "The documentation is in out/docs/index.html."

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX) > /dev/null
	@[ "$$(id -u)" != 0 ] || ldconfig 2>/dev/null || true
	@sh $(BUILD)/print_environment.sh $(PREFIX)

# in a copy of the files that git knows, as packages and build files come into the folder above
deb:
	@tools/setup.sh deb
	@rm -rf out/deb && mkdir -p out/deb/gr-reservoir
	@git ls-files -z | tar --null -T - -c | tar -x -C out/deb/gr-reservoir
	@cd out/deb/gr-reservoir && DEB_BUILD_OPTIONS="parallel=$(JOBS) noautodbgsym" dpkg-buildpackage -b -us -uc > ../build.log 2>&1 || \
	    { tail -n 30 ../build.log; exit 1; }
	@rm -r out/deb/gr-reservoir
	@ls out/deb/*.deb

format:
	@tools/setup.sh format
	@git ls-files '*.h' '*.cc' | xargs clang-format -i
	@git ls-files '*.py' 'apps/reservoir_*' | xargs black -q

clean:
	rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-sanitize-python $(BUILD)-threads $(BUILD)-coverage $(BUILD)-fuzz out
