/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// In place of libFuzzer: runs a target on the files that are named, and on some inputs at random.

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

namespace {

constexpr int AT_RANDOM = 24;

void run(const std::string& name, const std::vector<char>& bytes)
{
    std::printf("%s\n", name.c_str());
    std::fflush(stdout); // it is the last line if the target ends the program
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

std::vector<char> content(const char* path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error(std::string("cannot read ") + path);
    return { std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>() };
}

std::vector<char> at_random(unsigned seed)
{
    std::minstd_rand generator(seed);
    std::vector<char> bytes(20 << seed % 5); // 20 to 320
    for (char& byte : bytes)
        byte = char(generator() >> 8);
    return bytes;
}

} // namespace

int main(int argc, char** argv)
{
    for (int k = 1; k < argc; k++)
        run(argv[k], content(argv[k]));
    for (int seed = 1; seed <= AT_RANDOM; seed++)
        run("at random, " + std::to_string(seed), at_random(seed));
    std::printf("%d inputs\n", argc - 1 + AT_RANDOM);
    return 0;
}
