// The main of journeyman_unit, journeyman_laws and journeyman_twin.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

namespace {

// doctest ends with 0 where no case matches its filters; a run that tested nothing has not passed.
struct count_cases : doctest::IReporter {
    static inline unsigned cases = 0;

    explicit count_cases(const doctest::ContextOptions&) {}
    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& stats) override { cases = stats.numTestCasesPassingFilters; }
    void test_case_start(const doctest::TestCaseData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}
};

}  // namespace

REGISTER_LISTENER("count_cases", 1, count_cases);

int main(int argc, char** argv)
{
    doctest::Context context(argc, argv);
    const int failed = context.run();
    if (context.shouldExit()) {   // a query such as --list-test-cases
        return failed;
    }
    if (count_cases::cases == 0) {
        std::fputs("no test case matches\n", stderr);
        return 1;
    }
    return failed;
}
