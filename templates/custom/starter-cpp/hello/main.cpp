#include <aws/lambda-runtime/runtime.h>

#include <string>

using namespace aws::lambda_runtime;

// The value of "name" in a flat JSON object; a real function would use a JSON library.
static std::string name_in(std::string const& event)
{
    auto const key = event.find("\"name\"");
    auto const open = event.find('"', event.find(':', key));
    if (key == std::string::npos || open == std::string::npos) {
        return "World";
    }
    return event.substr(open + 1, event.find('"', open + 1) - open - 1);
}

static invocation_response handler(invocation_request const& request)
{
    return invocation_response::success(R"({"message": "Hello, )" + name_in(request.payload) + "\"}", "application/json");
}

int main()
{
    run_handler(handler);
    return 0;
}
