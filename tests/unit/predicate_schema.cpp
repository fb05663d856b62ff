// The JSON Schemas for editors and programs know the words of the language: all of them, what each takes, and no others.
#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "predicate/expression_json.hpp"
#include "predicate/expression_words.hpp"

namespace jm = journeyman;
using jm::detail::document;

namespace {

document schema(const char* name)
{
    std::ifstream in{std::string{JOURNEYMAN_SOURCE_DIR} + "/python/journeyman/" + name};
    REQUIRE(in);
    return document::parse(in).at("definitions");
}

const document& predicate_schema()
{
    static const document d = schema("predicate.schema.json");
    return d;
}

using words = std::set<std::string>;

template <class List> void put(words& out, const List& list)
{
    for (const auto& w : list) {
        if constexpr (requires { w.name; }) {
            out.emplace(w.name);
        } else if constexpr (requires { w.text; }) {
            out.emplace(w.text);
        } else {
            out.emplace(w);
        }
    }
}

words of_the_language()
{
    words out{"within"};
    put(out, jm::detail::leaf_keys);
    put(out, jm::detail::operator_words);
    put(out, jm::detail::function_words);
    put(out, jm::detail::aggregate_words);
    return out;
}

words keys(const document& object)
{
    words out;
    for (const auto& [key, value] : object.items()) {
        out.insert(key);
    }
    return out;
}

/// The definition that says what stands after a word.
std::string after(std::string_view word) { return predicate_schema().at("tree").at("properties").at(std::string{word}).at("$ref").get<std::string>().substr(std::string_view{"#/definitions/"}.size()); }

std::string expected(const jm::detail::function_word& w)
{
    switch (w.takes) {
    case jm::detail::takes::name: return "named";
    case jm::detail::takes::attribute: return "of_attribute";
    case jm::detail::takes::unit_and_value: return "unit_and_value";
    case jm::detail::takes::values: break;
    }
    if (w.least == 1) {
        return w.most == 1 ? "one" : w.most == 2 ? "one_or_two" : "one_or_more";
    }
    return w.least == 3 && w.most == 3 ? "three" : "no definition yet";
}

std::string expected(const jm::detail::aggregate_word& w)
{
    using enum jm::detail::aggregate_shape;
    switch (w.shape) {
    case selector: return "events";
    case values: return "values";
    case sequence: return "selectors";
    case cohort: return w.selectors == 1 ? "events" : "two_selectors";
    case predicate: return "one";
    case filter: return "filter";
    case nothing: return "nothing";
    }
    return {};
}

}  // namespace

TEST_CASE("the schemas know the words of the language, and no others")
{
    const auto all = of_the_language();
    CHECK(keys(predicate_schema().at("tree").at("properties")) == all);
    words in_playbooks;
    put(in_playbooks, schema("playbook.schema.json").at("tree").at("propertyNames").at("enum").get<std::vector<std::string>>());
    CHECK(in_playbooks == all);

    words of_selectors{"event", "property", "where", "without"};
    put(of_selectors, jm::detail::window_keys);
    CHECK(keys(predicate_schema().at("selector_object").at("properties")) == of_selectors);
    words units;
    put(units, jm::detail::unit_words);
    words in_schema;
    put(in_schema, predicate_schema().at("unit").at("enum").get<std::vector<std::string>>());
    CHECK(in_schema == units);
}

TEST_CASE("the schema knows what each word takes")
{
    for (const auto& w : jm::detail::function_words) {
        INFO(w.name);
        CHECK(after(w.name) == expected(w));
    }
    words timed{"sequence"}, must_be_timed;
    for (const auto& w : jm::detail::aggregate_words) {
        INFO(w.name);
        CHECK(after(w.name) == expected(w));
        if (w.shape == jm::detail::aggregate_shape::cohort) {
            timed.emplace(w.name);
            must_be_timed.emplace(w.name);
        }
    }
    const auto required = [](const document& list) {
        words out;
        for (const auto& item : list) {
            out.insert(item.at("required").at(0).get<std::string>());
        }
        return out;
    };
    const auto& tree = predicate_schema().at("tree");
    CHECK(required(tree.at("then").at("anyOf")) == timed);
    CHECK(required(tree.at("else").at("not").at("anyOf")) == must_be_timed);
}
