#include "messages.h"

#include <cstdlib>
#include <iostream>
#include <sstream>

std::vector<Message> read_messages(std::istream &in, const std::string &path) {
    std::vector<Message> messages;
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        std::istringstream words(line.substr(0, line.find('#')));
        Message message;
        if (!(words >> message.name))
            continue;
        for (std::string field; words >> field;)
            message.fields.push_back(field);
        if (message.fields.empty()) {
            std::cerr << path << ":" << number << ": expected a message's name and its fields\n";
            std::exit(1);
        }
        messages.push_back(message);
    }
    return messages;
}
