// Messages, as schema/messages.txt has them.
#pragma once

#include <istream>
#include <string>
#include <vector>

struct Message {
    std::string name;
    std::vector<std::string> fields;
};

// Reads the schema; a line that is no message ends the program with its number.
std::vector<Message> read_messages(std::istream &in, const std::string &path);
