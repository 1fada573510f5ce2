// codegen SCHEMA FOLDER: writes messages.h and messages.c, a table of the schema's messages.
#include "messages.h"

#include <fstream>
#include <iostream>

int main(int argc, char **argv) {
    if (argc != 3) {
        std::cerr << "usage: codegen SCHEMA FOLDER\n";
        return 2;
    }
    const std::string folder = argv[2];
    std::ifstream schema(argv[1]);
    if (!schema) {
        std::cerr << argv[1] << ": cannot read\n";
        return 1;
    }
    const std::vector<Message> messages = read_messages(schema, argv[1]);
    std::ofstream header(folder + "/messages.h"), source(folder + "/messages.c");
    header << "/* Made by codegen. */\n"
           << "struct message {\n\tconst char *name;\n\tunsigned int fields;\n};\n"
           << "#define MESSAGES " << messages.size() << "\n"
           << "extern const struct message messages[MESSAGES];\n";
    source << "// SPDX-License-Identifier: GPL-2.0-only\n"
           << "#include \"messages.h\"\n\n"
           << "const struct message messages[MESSAGES] = {\n";
    for (const Message &message : messages)
        source << "\t{\"" << message.name << "\", " << message.fields.size() << "},\n";
    source << "};\n";
    return header.flush() && source.flush() ? 0 : 1;
}
