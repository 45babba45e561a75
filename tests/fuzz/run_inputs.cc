/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// In place of libFuzzer: runs a target on the files that are named, and on those in folders.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

namespace {

void run(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)),
                                  std::istreambuf_iterator<char>());
    std::printf("%s\n", path.c_str());
    std::fflush(stdout); // it is the last line if the target ends the program
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

} // namespace

int main(int argc, char** argv)
{
    namespace fs = std::filesystem;
    int files = 0;
    for (int k = 1; k < argc; k++)
        if (fs::is_directory(argv[k])) {
            for (const auto& entry : fs::directory_iterator(argv[k]))
                run(entry.path()), files++;
        } else {
            run(argv[k]), files++;
        }
    std::printf("%d inputs\n", files);
    return files > 0 ? 0 : 1;
}
