// Writes tests/vectors/v1 anew: vectors_generate FOLDER. What a vector expects is written here by
// hand; the program refuses to write one that the engine does not agree with.
#include "vectors/generate.hpp"

int main(int argc, char** argv) {
    using namespace plankurier::vectors;
    if (argc != 2) return 2;
    folder = argv[1];
    write_body();
    write_keys();
    write_trust();
    write_answers();
    write_pasted();
    write_refusals();
    write_files();
    std::cout << written << " vectors written, " << wrong << " refused\n";
    return wrong == 0 ? 0 : 1;
}
